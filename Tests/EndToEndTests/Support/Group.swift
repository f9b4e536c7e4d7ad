import Control
import Glibc
import System

/// A hub of its own process, at a port that the system chose.
final class HubProcess {
  let state: String
  let log: String
  private(set) var address: String
  private let fixture: Fixture
  private let options: [String]
  private let clock: MovableClock?
  private let watched = Locked<RunningProcess?>(nil)

  fileprivate init(
    _ fixture: Fixture, options: [String], state: String?, clock: MovableClock?
  ) throws {
    self.fixture = fixture
    self.options = options
    self.clock = clock
    self.state = state ?? fixture.newPath("state-hub")
    log = fixture.newPath("hub") + ".log"
    address = ""
    let watched = watched
    fixture.atEnd {
      guard let process = watched.withLock({ $0 }) else { return }
      process.kill(SIGTERM)
      if (try? process.wait(within: .seconds(5))) == nil { process.kill(SIGKILL) }
      _ = try? process.wait(within: .seconds(5))
    }
    try start(listen: "127.0.0.1:0")
    address = try listening(log, "listening on ")
  }

  /// Where its claim code lies, while it has no master.
  var claimFile: String { state + "/claim-code" }

  /// The digits of its claim code.
  func claim() throws -> [UInt8] { try Files.read(claimFile).filter { $0 > UInt8(ascii: "-") } }

  /// Ends it as a crash does.
  func crash() throws {
    process.kill(SIGKILL)
    _ = try process.wait()
  }

  /// Starts it again where it was.
  func restart() throws { try start(listen: address) }

  var process: RunningProcess {
    guard let process = watched.withLock({ $0 }) else {
      preconditionFailure("a hub is asked for its process after it was started")
    }
    return process
  }

  private func start(listen: String) throws {
    let process = try RunningProcess(
      (clock?.words ?? []) + [Programs.hub, "--listen", listen, "--state", state] + options,
      output: log, errors: log)
    _ = fixture.watch(process)
    watched.withLock { $0 = process }
  }
}

/// The address in the line that a hub prints at its start.
private func listening(_ log: String, _ words: String) throws -> String {
  try eventuallySome("a line '\(words)' in \(log)") {
    let text = try Files.text(log)
    for line in text.split(separator: "\n") {
      guard let start = line.firstRange(of: words)?.upperBound else { continue }
      return String(line[start...])
    }
    return nil
  }
}

extension Fixture {
  /// Hub, master and mount in one process, live.
  func host(
    _ options: [String] = [], name: String = "host", own: String? = nil, state: String? = nil,
    clock: MovableClock? = nil
  ) throws -> (daemon: Daemon, hub: String) {
    let daemon = try Daemon(name, self, own: own, state: state, clock: clock)
    try daemon.start(["--host", "--listen", "127.0.0.1:0"] + options)
    try daemon.waits(for: .live)
    return (daemon, try listening(daemon.log, "hub listens on "))
  }

  /// Where the hub of a host is.
  func hubAddress(of host: Daemon) throws -> String { try listening(host.log, "hub listens on ") }

  /// A hub without a mount.
  func hub(
    _ options: [String] = [], state: String? = nil, clock: MovableClock? = nil
  ) throws -> HubProcess {
    try HubProcess(self, options: options, state: state, clock: clock)
  }

  /// The master app of a hub that has none yet, live. `address`: where it finds the hub, if not
  /// there.
  func master(
    _ hub: HubProcess, _ options: [String] = [], at address: String? = nil,
    state: String? = nil, clock: MovableClock? = nil
  ) throws -> Daemon {
    let daemon = try Daemon("master", self, state: state, clock: clock)
    try daemon.start(
      ["--master", "--claim-file", hub.claimFile] + options + [address ?? hub.address])
    try daemon.waits(for: .live)
    return daemon
  }

  /// A member, started and waiting for approval.
  func waitingMember(
    _ name: String, of hub: String, _ options: [String] = [], own: String? = nil,
    state: String? = nil, clock: MovableClock? = nil
  ) throws -> Daemon {
    let daemon = try Daemon(name, self, own: own, state: state, clock: clock)
    try daemon.start(["--nowait"] + options + [hub])
    try daemon.waits(for: .waiting)
    return daemon
  }

  /// A member, approved and live.
  func member(
    _ name: String, of hub: String, approvedBy master: Daemon, _ options: [String] = [],
    own: String? = nil, state: String? = nil, clock: MovableClock? = nil
  ) throws -> Daemon {
    let daemon = try waitingMember(name, of: hub, options, own: own, state: state, clock: clock)
    let id = try daemon.publicID()
    try eventually("\(master.name) has heard of \(name)") {
      try master.members().contains { $0.publicID == id }
    }
    try control(master, "approve", "\(id)", "--yes").succeeded()
    try daemon.waits(for: .live)
    return daemon
  }

  /// Runs `fsharectl` for a daemon.
  func control(_ daemon: Daemon, _ words: String...) throws -> Command {
    try run([Programs.control] + words + ["--state", daemon.state])
  }

  /// Waits until a file has a content at one side, as the list brings it.
  func waitFor(_ path: String, _ content: String) throws {
    try eventually("\(path) has its content") {
      let seen = try Files.text(path)
      if seen != content { throw NeverHappened(description: "it has '\(seen.prefix(80))'") }
      return true
    }
  }

  /// Waits until something is there.
  func waitFor(_ path: String) throws {
    try eventually("\(path) is there") { Files.exists(path) }
  }

  /// Waits until a folder is there in which all may put something.
  func waitForOpen(_ path: String) throws {
    try eventually("\(path) is open to all") { try Stat(path: path).permissions & 0o002 != 0 }
  }

  /// Waits until something is no longer there.
  func waitForAbsence(_ path: String) throws {
    try eventually("\(path) is gone") { !Files.exists(path) }
  }

  /// Waits until two folders hold the same. `leavingOut`: names right in the first that do not
  /// count.
  func waitForEquality(
    _ one: String, _ other: String, timesMatter: Bool = true, leavingOut: [String] = []
  ) throws {
    let left = leavingOut.map { Array($0.utf8) }
    var last = ""
    do {
      try eventually("\(one) and \(other) are equal") {
        var tree = try Tree(one, timesMatter: timesMatter)
        tree.items = tree.items.filter { path, _ in !left.contains { path.starts(with: $0) } }
        let difference = try tree.difference(Tree(other, timesMatter: timesMatter))
        last = difference
        return difference == "nothing"
      }
    } catch {
      throw NeverHappened(description: "\(error)\n\(last)")
    }
  }

  /// Waits until both list as many entries, at the same place of the order.
  func waitForSameList(_ one: Daemon, _ other: Daemon) throws {
    try eventually("\(one.name) and \(other.name) have the same list") {
      let (a, b) = (try one.status(), try other.status())
      guard a.epoch == b.epoch, a.seq == b.seq, a.entries == b.entries else {
        throw NeverHappened(
          description: "\(a.epoch)/\(a.seq)/\(a.entries) and \(b.epoch)/\(b.seq)/\(b.entries)")
      }
      return a.pendingChanges == 0 && b.pendingChanges == 0
    }
  }
}
