import Control
import Glibc
import System
import Testing

extension Adversity {
  /// A kill at each step that touches the disk: the kernel ends the process right at the n-th call
  /// of a kind that a thread of it makes (strace's injection). Nothing that was said to be done is
  /// lost, nothing half done shows, and no start is refused.
  @Suite(.enabled(if: geteuid() == 0, "only root can trace what sheds its rights"))
  struct KillSteps {
    /// The calls by which a state or a file gets to the disk.
    private static let calls = ["write", "fsync", "rename", "renameat2", "/^unlink(at)?$"]
    private static let steps = [1, 2, 3, 5, 8]

    /// The words that run a program which is killed at a step.
    private static func killing(at call: String, _ step: Int) -> [String] {
      [
        "strace", "-D", "-f", "-qqq", "-o", "/dev/null", "-e", "trace=\(call)",
        "-e", "inject=\(call):signal=KILL:when=\(step)",
      ]
    }

    /// Waits until a daemon can be used, or was killed before that.
    private static func waitUntilUsable(_ daemon: Daemon) throws {
      try eventually("\(daemon.name) is live, or dead") {
        if daemon.process.ended != nil { return true }
        return (try? daemon.status().state) == .live && MountPoint.isLive(daemon.mount)
      }
    }

    /// Copies, renames and removes through a mount. Returns: what is there by the words of programs
    /// that ended well, and what may be there or not.
    private static func work(
      _ fixture: Fixture, in mount: String, round: Int, _ sure: inout [String: String],
      _ unsure: inout Set<String>
    ) throws {
      let source = fixture.newPath("source")
      let content = "content \(round) " + String(repeating: "x", count: 5_000)
      try Files.write(source, content)
      let (new, moved, old) = ("\(round)", "moved \(round)", "moved \(round - 1)")
      func done(_ words: String...) throws -> Bool {
        try fixture.run(words, within: .seconds(60)).ending == .exit(0)
      }
      if try done("cp", source, "\(mount)/\(new)") {
        sure[new] = content
        if try done("mv", "\(mount)/\(new)", "\(mount)/\(moved)") {
          sure[moved] = sure.removeValue(forKey: new)
        } else {
          sure[new] = nil
          unsure.formUnion([new, moved])
        }
      } else {
        unsure.insert(new)
      }
      if sure.removeValue(forKey: old) != nil, try !done("rm", "\(mount)/\(old)") {
        unsure.insert(old)
      }
      try Files.unlink(source)
    }

    private static func check(
      _ mount: String, _ sure: [String: String], _ unsure: Set<String>, _ step: String
    ) throws {
      for (name, content) in sure {
        #expect(try Files.text("\(mount)/\(name)") == content, "\(name), \(step)")
      }
      for name in try Files.list(mount) where sure[name] == nil {
        #expect(unsure.contains(name), "\(name) shows, \(step)")
        // Whole, where it shows.
        #expect(try Files.text("\(mount)/\(name)").utf8.count > 5_000, "\(name), \(step)")
      }
    }

    /// S10, S100: a member.
    @Test func ofAMember() throws {
      try withFixture(within: .seconds(300)) { fixture in
        let (host, hub) = try fixture.host()
        let guest = try fixture.member("guest", of: hub, approvedBy: host)
        var (sure, unsure): ([String: String], Set<String>) = ([:], [])
        var (round, kills) = (0, 0)
        for call in Self.calls {
          for step in Self.steps {
            try guest.crash()
            try guest.start(["--nowait", hub], through: Self.killing(at: call, step))
            try Self.waitUntilUsable(guest)
            round += 1
            if MountPoint.isLive(guest.mount) {
              try Self.work(fixture, in: guest.mount, round: round, &sure, &unsure)
            }
            if guest.process.ended == .signal(SIGKILL) { kills += 1 }
            try guest.crash()
            try guest.start(["--nowait", hub])
            try guest.waits(for: .live)
            try Self.check(guest.mount, sure, unsure, "\(call) \(step)")
            try fixture.waitForEquality(guest.mount, host.mount)
          }
        }
        #expect(kills >= Self.calls.count * Self.steps.count / 2)
        #expect(try Files.list(guest.own + "/.fsharefs-staging") == ["lock", "targets"])
      }
    }

    /// S33, S39: a master, its journal and its vault: what it acked and decided holds.
    @Test func ofAMaster() throws {
      try withFixture(within: .seconds(400)) { fixture in
        let (host, hub) = try fixture.host()
        let guest = try fixture.member(
          "guest", of: hub, approvedBy: host, ["-o", "ack_timeout=2"])
        let other = try fixture.member("other", of: hub, approvedBy: host)
        let number = try other.publicID()
        var (sure, unsure): ([String: String], Set<String>) = ([:], [])
        var (round, kills) = (0, 0)
        var isIn: Bool? = true
        for call in Self.calls {
          for step in Self.steps {
            try host.crash()
            try host.start(
              ["--host", "--listen", hub], through: Self.killing(at: call, step))
            try Self.waitUntilUsable(host)
            round += 1
            try Self.work(fixture, in: guest.mount, round: round, &sure, &unsure)
            // A decision draws another key.
            let wanted = round % 2 == 0
            let decided =
              wanted
              ? try fixture.control(host, "approve", "\(number)", "--yes")
              : try fixture.control(host, "disapprove", "\(number)")
            isIn = decided.ending == .exit(0) ? wanted : nil
            if host.process.ended == .signal(SIGKILL) { kills += 1 }
            try host.crash()
            try host.start(["--host", "--listen", hub])
            try host.waits(for: .live)
            try eventually("the guest is back") {
              let status = try guest.status()
              return status.state == .live && status.masterPresent && status.pendingChanges == 0
            }
            if let isIn {
              let state = try host.members().first { $0.publicID == number }?.state
              #expect(state == (isIn ? .approved : .disapproved), "\(call) \(step)")
            }
            try Self.check(guest.mount, sure, unsure, "\(call) \(step)")
            try fixture.waitForEquality(guest.mount, host.mount)
          }
        }
        #expect(kills >= Self.calls.count * Self.steps.count / 2)
      }
    }
  }
}
