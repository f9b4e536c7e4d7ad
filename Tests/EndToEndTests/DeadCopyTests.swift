import CLinux
import Control
import Glibc
import System
import Testing

extension EndToEnd {
  /// Copies that die half-way.
  @Suite struct DeadCopies {
    /// S56: a copy that is killed is not shared, and gone after the next start; one that ended is
    /// there.
    @Test(arguments: [SIGKILL, SIGTERM]) func aKilledCopyIsNotShared(signal: Int32) throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        let guest = try fixture.member("guest", of: hub, approvedBy: host)
        let copy = try copying(fixture, to: guest.path("half"))
        copy.kill(signal)
        #expect(try copy.wait() == .signal(signal))
        try Files.write(guest.path("whole"), "whole")
        try fixture.waitFor(host.path("whole"), "whole")
        try fixture.waitForSameList(host, guest)
        #expect(try Files.list(host.mount) == ["whole"])

        #expect(try guest.leave() == .exit(0))
        try guest.start(["--nowait"])
        try guest.waits(for: .live)
        try fixture.waitFor(host.path("whole"))
        #expect(try Files.list(guest.mount) == ["whole"])
        #expect(try Files.list(guest.own + "/.fsharefs-staging") == ["lock", "targets"])
        try fixture.waitForEquality(guest.mount, host.mount)
      }
    }

    /// S56: whoever goes on with it, and closes it, shares it.
    @Test func aKilledCopyThatIsFinishedIsShared() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        let guest = try fixture.member("guest", of: hub, approvedBy: host)
        let copy = try copying(fixture, to: guest.path("half"))
        copy.kill(SIGKILL)
        #expect(try copy.wait() == .signal(SIGKILL))
        try Files.write(guest.path("half"), "complete", flags: O_TRUNC)
        try fixture.waitFor(host.path("half"), "complete")
        #expect(try Files.text(guest.own + "/half") == "complete")
      }
    }

    /// S56: the daemon itself is killed in the middle of a copy.
    @Test func aKilledDaemonLeavesNothingHalf() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        let guest = try fixture.member("guest", of: hub, approvedBy: host)
        try Files.write(guest.path("whole"), "whole")
        let copy = try copying(fixture, to: guest.path("half"))
        try guest.crash()
        copy.kill(SIGKILL)
        _ = try copy.wait()
        // A copy that was complete, and waited for the group, as the note says that earlier
        // versions left.
        let staging = guest.own + "/.fsharefs-staging"
        try Files.write(staging + "/1234", "complete")
        try Files.write(staging + "/1234.target", "folder/complete")
        #expect(try Files.list(staging).count > 3)
        try guest.start(["--nowait"])
        try guest.waits(for: .live)
        try fixture.waitFor(host.path("folder/complete"), "complete")
        #expect(try Files.list(host.mount) == ["folder", "whole"])
        #expect(try Files.list(staging) == ["lock", "targets"])
        try fixture.waitForEquality(guest.mount, host.mount)
      }
    }

    /// S83: where it cannot be read what was complete, everything is kept.
    @Test func aDamagedLogLosesNothing() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        let guest = try fixture.member("guest", of: hub, approvedBy: host)
        try Files.write(guest.path("one"), "one")
        try guest.crash()
        let staging = guest.own + "/.fsharefs-staging"
        try Files.write(staging + "/1234", "perhaps complete")
        var log = try Files.read(staging + "/targets")
        log[log.count - 1] ^= 1
        try Files.write(staging + "/targets", log)
        for _ in 1...2 {
          try guest.start(["--nowait"])
          try guest.waits(for: .live)
          #expect(try guest.status().setAside == 1)
          #expect(try Files.text(staging + "/1234") == "perhaps complete")
          let log = try Files.text(guest.log)
          #expect(log.contains("1234") && log.contains("targets.damaged-"))
          try Files.write(guest.path("two"), "two", flags: O_CREAT | O_TRUNC)
          try guest.crash()
        }
        #expect(try Files.list(staging) == ["1234", "lock", "targets", "targets.damaged-1"])
      }
    }

    /// A `cp` that has written something and will not come to its end.
    private func copying(_ fixture: Fixture, to path: String) throws -> RunningProcess {
      let pipe = fixture.newPath("pipe")
      try fixture.run("mkfifo", pipe).succeeded()
      let errors = fixture.newPath("errors")
      let copy = try RunningProcess(
        ["cat", pipe], output: path, errors: errors)
      _ = fixture.watch(copy)
      let source = try Files.open(pipe, O_RDWR)
      fixture.atEnd { _ = Glibc.close(source) }
      try File.writeAll(Samples.bytes(50_000), to: source, pipe)
      try eventually("half of it is written") { try Stat(path: path).size == 50_000 }
      return copy
    }
  }
}
