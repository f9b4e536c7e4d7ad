import Control
import Glibc
import System
import Testing

extension Commands {
  /// `fsharectl check PATH`.
  @Suite struct CheckContent {
    private func check(_ fixture: Fixture, _ path: String) throws -> (Ending, CheckReport) {
      let command = try fixture.run(Programs.control, "check", path, "--json")
      return (
        command.ending, try JSONValue.parsed(command.output).decode(as: CheckReport.self)
      )
    }

    @Test func everyByteIsReadOfOthersAndOfOwn() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        let guest = try fixture.member("guest", of: hub, approvedBy: host)
        try Files.makeFolder(host.path("docs"))
        try Files.makeFolder(host.path("docs/deeper"))
        try Files.write(host.path("docs/large"), Samples.bytes(2_000_001))
        try Files.write(host.path("docs/deeper/\u{1B}[2J語"), "x")
        try Files.write(host.path("docs/empty"), "")
        #expect(symlink("large", host.path("docs/link")) == 0)
        try fixture.waitFor(guest.path("docs/link"))
        for daemon in [guest, host] {
          let (ending, report) = try check(fixture, daemon.path("docs"))
          #expect(ending == .exit(0) && report.isWhole)
          #expect(report.files == 3 && report.bytes == 2_000_002)
          #expect(report.folders == 2 && report.passedBy == 1)
        }
        let text = try fixture.run(Programs.control, "check", guest.path("docs")).succeeded().text
        let lines = text.split(separator: "\n")
        #expect(lines.count == 4 && !text.contains("\u{1B}"))
        #expect(lines.filter { $0.hasPrefix("whole  ") }.count == 3)
        #expect(lines[3].hasPrefix("3 files are whole, 1.9 MiB, "))
        let quiet = try fixture.run(Programs.control, "check", "--quiet", guest.path("docs"))
        #expect(try quiet.succeeded().text.split(separator: "\n").count == 1)
      }
    }

    /// What the kernel has in memory from before is no answer: the owner is asked.
    @Test func whatCannotBeHadNowIsSaidWithItsReason() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host(["--chunk-cache", "0", "--chunk-seconds", "0"])
        let anna = try fixture.member("anna", of: hub, approvedBy: host)
        let bert = try fixture.member(
          "bert", of: hub, approvedBy: host, ["-o", "timeout=1", "-o", "memory=8"])
        try Files.write(anna.path("good"), "good")
        try Files.write(anna.path("lost"), Samples.bytes(30_000_000))
        try fixture.waitFor(bert.path("lost"))
        try fixture.waitFor(bert.path("good"))
        // In the kernel's memory now; in that of the program there is no room for it.
        _ = try Files.read(bert.path("lost"))
        #expect(truncate(anna.own + "/lost", 1_000) == 0)
        anna.process.kill(SIGSTOP)
        let (ending, report) = try check(fixture, bert.path("lost"))
        #expect(ending == .exit(1))
        let failure = try #require(report.failures.first)
        #expect(failure.path == bert.path("lost") && !failure.error.isEmpty)
        #expect(failure.why.contains { $0.contains("of anna") })
        anna.process.kill(SIGCONT)
        let (_, good) = try check(fixture, bert.path("good"))
        #expect(good.isWhole && good.files == 1)
      }
    }

    @Test func whatIsNoPlaceOfAMountIsWrongUse() throws {
      try withFixture { fixture in
        for path in [fixture.folder, "/nowhere"] {
          let wrong = try fixture.run(Programs.control, "check", path)
          #expect(wrong.ending == .exit(64) && wrong.output.isEmpty && wrong.errorLines.count == 1)
        }
        let (host, _) = try fixture.host()
        let absent = try fixture.run(Programs.control, "check", host.path("absent"))
        #expect(absent.ending == .exit(1) && absent.text.contains("NOT WHOLE"))
      }
    }
  }
}
