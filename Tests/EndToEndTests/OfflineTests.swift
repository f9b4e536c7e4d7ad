import Control
import Glibc
import System
import Testing

extension EndToEnd {
  /// S123, S124: laptops.
  @Suite struct Offline {
    private func state(_ path: String, _ fixture: Fixture) throws -> String {
      try fixture.run("getfattr", "--only-values", "-n", "user.fsharefs.state", path)
        .succeeded().text
    }

    /// What is copied in without the network stays, and is shared when it is back.
    @Test func whatIsCopiedInIsKeptAndSharedLater() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        let line = try CutOff(fixture, to: hub)
        let options = ["-o", "offline=keep,ack_timeout=1"]
        let guest = try fixture.member("guest", of: line.address, approvedBy: host, options)
        try Files.write(guest.path("before"), "before")
        try fixture.waitFor(host.path("before"), "before")
        line.cut()
        try eventually("it knows") { try !guest.status().hubConnected }
        // At once, and all that files can do.
        try fixture.shell(
          """
          set -e; cd "$1"; mkdir trip; echo 1 > trip/1; cp trip/1 trip/2; mv trip/2 trip/3
          echo more >> before; printf mine > clash; test "$(cat trip/3)" = 1
          """, guest.mount
        ).succeeded()
        #expect(try state(guest.path("trip/3"), fixture) == "here, not shared yet")
        let status = try fixture.control(guest, "status").succeeded().text
        #expect(status.contains("not shared yet"), "\(status)")
        #expect(try Files.text(guest.own + "/trip/1") == "1\n")
        try Files.write(host.path("clash"), "theirs")
        // Over a restart, too.
        #expect(try guest.leave() == .exit(0))
        try guest.start(["--nowait"] + options)
        try fixture.waitFor(guest.path("trip/3"), "1\n")
        try Files.write(guest.path("later"), "later")
        line.heal()
        try guest.waits(for: .live)
        try fixture.waitFor(host.path("trip/3"), "1\n")
        try fixture.waitFor(host.path("before"), "beforemore\n")
        try fixture.waitFor(host.path("later"), "later")
        try fixture.waitFor(host.path("clash (conflict, guest)"), "mine")
        #expect(try Files.text(guest.path("clash")) == "theirs")
        try eventually("it is shared") {
          try state(guest.path("trip/3"), fixture) == "here"
        }
        // A master that is there and does not answer: its time is over, and the file is kept.
        host.process.kill(SIGSTOP)
        try Files.write(guest.path("unanswered"), "x")
        #expect(try state(guest.path("unanswered"), fixture) == "here, not shared yet")
        host.process.kill(SIGCONT)
        try fixture.waitFor(host.path("unanswered"), "x")
        // What is refused is refused.
        #expect(Files.errorOf { try Files.write(guest.path("clash/below"), "x") } == ENOTDIR)
      }
    }

    /// Without it the log says what there is.
    @Test func theLogNamesTheOption() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        let guest = try fixture.member("guest", of: hub, approvedBy: host, ["-o", "ack_timeout=1"])
        try host.crash()
        #expect(Files.errorOf { try Files.write(guest.path("file"), "x") } == EHOSTDOWN)
        try eventually("the log names it") {
          try Files.text(guest.log).contains("-o offline=keep would keep it")
        }
        let wrong = try fixture.run(Programs.fsharefs, "-o", "offline=maybe", hub, guest.mount)
        #expect(wrong.ending == .exit(64) && wrong.errors.contains("keep, or fail"))
      }
    }

    /// Whoever was suspended does not wait until the old line is found dead.
    @Test func aWakeUpConnectsAnew() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        let clock = try MovableClock(fixture)
        let guest = try fixture.member("guest", of: hub, approvedBy: host, clock: clock)
        try Files.write(host.path("file"), "x")
        try fixture.waitFor(guest.path("file"), "x")
        try clock.suspend(for: 3_600)
        try eventually("it has noticed") {
          try Files.text(guest.log).contains("this machine was suspended for 3")
        }
        try eventually("it was lost, and is there again") {
          try Files.text(host.log).contains("lost its connection") && guest.status().hubConnected
        }
        try guest.waits(for: .live)
        try Files.write(guest.path("awake"), "y")
        try fixture.waitFor(host.path("awake"), "y")
      }
    }
  }
}
