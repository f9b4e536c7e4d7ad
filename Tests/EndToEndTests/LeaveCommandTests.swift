import Control
import Glibc
import System
import Testing

extension Commands {
  /// `fsharectl leave`.
  @Suite struct LeaveCommand {
    @Test func itWaitsForWhoReadsAndThenUnmounts() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        let guest = try fixture.member("guest", of: hub, approvedBy: host)
        let film = Samples.bytes(3_000_000)
        try Files.write(guest.path("film"), film)
        try fixture.waitFor(host.path("film"))
        let file = OwnedDescriptor(try Files.open(host.path("film"), O_RDONLY))
        func read(_ count: Int) throws -> Int {
          var piece = [UInt8](repeating: 0, count: count)
          return try retryingOnInterrupt("read") { Glibc.read(file.raw, &piece, count) }
        }
        #expect(try read(4_096) == 4_096)
        try eventually("the guest uploads") {
          try fixture.control(guest, "transfers").succeeded().text.contains("film: uploading")
        }
        let log = fixture.newPath("leave") + ".log"
        let leave = try RunningProcess(
          [Programs.control, "leave", guest.mount], output: log, errors: log)
        _ = fixture.watch(leave)
        try eventually("it says what it waits for") {
          try Files.text(log).contains("others read film")
        }
        // It can be thought better of.
        leave.kill(SIGINT)
        #expect(try leave.wait() == .signal(SIGINT))
        #expect(MountPoint.isLive(guest.mount))
        #expect(try guest.status().state == .live)

        var got = 4_096
        while true {
          let count = try read(1 << 20)
          if count == 0 { break }
          got += count
        }
        #expect(got == film.count)
        // Also for who stands in it.
        let left = try fixture.run(
          "env", "-C", guest.mount, Programs.control, "leave", "--json"
        ).succeeded()
        let report = try JSONValue.parsed(left.output).decode(as: LeaveReport.self)
        #expect(report == LeaveReport(mountpoint: guest.mount, hasEnded: true, usedBy: []))
        #expect(try guest.process.wait() == .exit(0))
        #expect(!MountPoint.isLive(guest.mount))
        try fixture.waitForAbsence(host.path("film"))
      }
    }

    @Test func theStateFolderMayBeNamedFromWhereOneStands() throws {
      try withFixture { fixture in
        let (host, _) = try fixture.host()
        try fixture.shell(
          "cd \"$1\"; exec \"$2\" leave --state .", host.state, Programs.control
        ).succeeded()
        #expect(try host.process.wait() == .exit(0))
      }
    }

    @Test func whoUsesTheMountIsNamedAndKeepsItUntilNow() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        let guest = try fixture.member("guest", of: hub, approvedBy: host)
        try Files.write(guest.path("file"), "here")
        let log = fixture.newPath("tail") + ".log"
        let tail = try RunningProcess(
          ["tail", "-f", guest.path("file")], output: log, errors: log)
        _ = fixture.watch(tail)
        try eventually("it reads") { try Files.text(log) == "here" }
        let refused = try fixture.control(guest, "leave")
        #expect(refused.ending == .exit(1) && refused.output.isEmpty)
        #expect(refused.errors.contains("tail (\(tail.pid))"))
        #expect(MountPoint.isLive(guest.mount))
        #expect(try guest.status().state == .live)

        let (now, time) = try timed { try fixture.control(guest, "leave", "--now") }
        #expect(try now.succeeded().text.contains("tail (\(tail.pid))"))
        #expect(time < .seconds(15))
        try fixture.waitForAbsence(host.path("file"))
        tail.kill(SIGTERM)
        _ = try tail.wait()
        #expect(try guest.process.wait() == .exit(0))
      }
    }
  }
}
