import Control
import Glibc
import System
import Testing

extension Commands {
  /// `fsharectl watch`: the master's user is asked about each client as it comes.
  @Suite struct WatchAtTheDoor {
    @Test func eachClientIsAskedAboutOnce() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        var guests: [Daemon] = []
        for name in ["first", "second", "third"] {
          guests.append(try fixture.waitingMember(name, of: hub))
        }
        // What is no answer is asked again; 'later' leaves the client where it is.
        let watch = try fixture.shell(
          "printf 'perhaps\\nA\\n refuse \\nl\\n' | \"$1\" watch --state \"$2\"", Programs.control,
          host.state
        ).succeeded()
        try guests[0].waits(for: .live)
        try guests[1].waits(for: .disapproved)
        #expect(try guests[2].status().state == .waiting)
        for guest in guests {
          #expect(watch.text.contains("name: \(guest.name)"))
          #expect(watch.text.contains("words: \(try guest.status().words)"))
        }
        #expect(watch.text.ranges(of: "asks to be let in").count == 3)
        #expect(watch.text.ranges(of: ApprovalDesk.choices).count == 4)
      }
    }

    @Test func newcomersAreAskedAboutAsTheyArriveAndMayGoAgain() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        let answers = fixture.newPath("answers")
        #expect(mkfifo(answers, 0o600) == 0)
        // Open for both, so that neither side waits for the other.
        let pipe = OwnedDescriptor(try Files.open(answers, O_RDWR))
        let shown = fixture.newPath("watch") + ".log"
        let watch = try RunningProcess(
          [
            "sh", "-c", "exec \"$1\" watch --state \"$2\" <\"$3\"", "sh", Programs.control,
            host.state, answers,
          ], output: shown, errors: shown)
        _ = fixture.watch(watch)
        let shy = try fixture.waitingMember("shy", of: hub)
        try eventually("it is asked about") { try Files.text(shown).contains("name: shy") }
        try shy.crash()
        try eventually("that it has gone is noted") {
          try Files.text(shown).contains("(shy) has gone")
        }
        let bold = try fixture.waitingMember("bold", of: hub)
        try eventually("the next is asked about") { try Files.text(shown).contains("name: bold") }
        #expect(try bold.status().state == .waiting)
        try fixture.control(host, "approve", "bold", "--yes").succeeded()
        try eventually("that it is decided already is noted") {
          try Files.text(shown).contains("(bold) was approved elsewhere")
        }
        let last = try fixture.waitingMember("last", of: hub)
        try eventually("the last is asked about") { try Files.text(shown).contains("name: last") }
        try File.writeAll(Array("a\n".utf8), to: pipe.raw, answers)
        try last.waits(for: .live)
        watch.kill(SIGTERM)
        #expect(try watch.wait() == .signal(SIGTERM))
      }
    }

    @Test func itIsTheMastersOnly() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        let guest = try fixture.member("guest", of: hub, approvedBy: host)
        let refused = try fixture.control(guest, "watch")
        #expect(refused.ending == .exit(1))
        #expect(refused.errorLines.count == 1)
        // The end of the input is its end.
        #expect(try fixture.control(host, "watch").ending == .exit(0))
      }
    }
  }
}
