import Control
import Glibc
import Hostile
import System
import Testing

extension EndToEnd {
  /// `fsharectl doctor`.
  @Suite struct DoctorLooks {
    private func findings(_ fixture: Fixture, _ words: String...) throws -> [DoctorReport.Finding] {
      let command = try fixture.run(
        [Programs.control, "doctor", "--json"] + words,
        environment: ["XDG_STATE_HOME": fixture.folder + "/nothing"])
      let report = try JSONValue.parsed(command.output).decode(as: DoctorReport.self)
      #expect(command.ending == .exit(report.isWell ? 0 : 1))
      // Whatever is not well says what to do.
      #expect(report.findings.allSatisfy { $0.verdict == .well || $0.remedy?.isEmpty == false })
      return report.findings
    }

    @Test func aGroupThatIsWellHasNothingBad() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        let guest = try fixture.member("guest", of: hub, approvedBy: host)
        for daemon in [host, guest] {
          let found = try findings(fixture, "--mount", daemon.mount)
          #expect(!found.contains { $0.verdict == .bad })
          let topics = Set(found.map(\.topic))
          #expect(
            topics.isSuperset(of: [
              "fuse", "rights", "clock", "mount", "state folder", "own folder", "inotify",
              daemon === host ? "port" : "hub",
            ]))
        }
        let reached = try #require(
          try findings(fixture, "--mount", guest.mount).first { $0.topic == "hub" })
        #expect(reached.says == "\(hub) can be reached, as 127.0.0.1")
      }
    }

    @Test func aHubThatIsAwayAndAStateFolderThatIsOpenAreSaid() throws {
      try withFixture { fixture in
        let nowhere = try Socket.listening().address()
        let guest = try Daemon("guest", fixture)
        try guest.start(["--nowait", nowhere])
        try guest.waits(for: .connecting)
        let hub = try #require(
          try findings(fixture, "--mount", guest.mount).first { $0.topic == "hub" })
        #expect(hub.verdict == .bad && hub.says.contains("127.0.0.1: "))
        #expect(hub.remedy?.contains("TCP port") == true)
        #expect(chmod(guest.state, 0o755) == 0)
        let state = try #require(
          try findings(fixture, "--mount", guest.mount).first { $0.topic == "state folder" })
        #expect(state.verdict == .bad && state.says.contains("chmod 700"))
        #expect(chmod(guest.state, 0o700) == 0)
      }
    }

    @Test func oneThatDoesNotAnswerHoldsNobodyUp() throws {
      try withFixture { fixture in
        let (host, _) = try fixture.host()
        host.process.kill(SIGSTOP)
        let (found, time) = try timed { try findings(fixture, "--mount", host.mount) }
        // Neither is anything else held up for long.
        let (status, wait) = try timed { try fixture.control(host, "status") }
        #expect(status.ending == .exit(1) && status.errors.contains("gave no answer"))
        #expect(wait < .seconds(40))
        host.process.kill(SIGCONT)
        #expect(found.contains { $0.topic == "running" && $0.says.contains("does not answer") })
        #expect(time < .seconds(30))
      }
    }

    @Test func whereNothingRunsItSaysHowToBegin() throws {
      try withFixture { fixture in
        let found = try findings(fixture)
        #expect(found.contains { $0.topic == "running" && $0.verdict == .caution })
        #expect(found.contains { $0.topic == "port" })
      }
    }
  }
}
