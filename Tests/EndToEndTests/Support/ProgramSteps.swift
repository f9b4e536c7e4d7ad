import Glibc
import System

extension Programs {
  /// Whether tests with a program of the system's run: it is there, or has to be (then they fail).
  static func has(_ names: String...) -> Bool {
    if Environment.get("FSHAREFS_REQUIRE_MOUNT") == "1" { return true }
    let folders = (Environment.get("PATH") ?? "/usr/bin:/bin").split(separator: ":")
    return names.allSatisfy { name in folders.contains { access("\($0)/\(name)", X_OK) == 0 } }
  }
}

/// Two members and a plain folder. What is done at the first member's mount with the programs that
/// people use, the second must see the same.
struct ProgramSteps {
  let fixture: Fixture
  let host: Daemon
  let guest: Daemon
  /// The hub's address.
  let hub: String
  /// A folder beside the mounts.
  let plain: String

  init(_ fixture: Fixture) throws {
    self.fixture = fixture
    (host, hub) = try fixture.host()
    guest = try fixture.member(
      "guest", of: hub, approvedBy: host,
      // What is copied from there keeps owners and modes.
      ["-o", "owners=self"])
    plain = try fixture.newFolder("plain")
  }

  /// Runs a script that must go well: `$1` is the mount, `$2` the plain folder, `$3` the other
  /// member's mount. Then both members see the same.
  @discardableResult
  func run(_ script: String) throws -> String {
    let done = try fixture.run(
      ["sh", "-ec", script, "sh", host.mount, plain, guest.mount],
      environment: [
        "HOME": plain, "TERM": "xterm", "GIT_CONFIG_NOSYSTEM": "1", "GIT_AUTHOR_NAME": "A",
        "GIT_AUTHOR_EMAIL": "a@example.org", "GIT_COMMITTER_NAME": "A",
        "GIT_COMMITTER_EMAIL": "a@example.org",
      ])
    guard done.ending == .exit(0) else {
      throw NeverHappened(
        description: "\(script)\nended with \(done.ending): \(done.text)\(done.errors)")
    }
    try fixture.waitForEquality(host.mount, guest.mount)
    return done.text
  }
}
