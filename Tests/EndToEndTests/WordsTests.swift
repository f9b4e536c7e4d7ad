import Control
import Glibc
import System
import Testing

extension EndToEnd {
  /// Both sides see the same six words, and the master can insist on them.
  @Suite struct Words {
    @Test func bothSidesSeeTheSameWords() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        let guest = try fixture.waitingMember("guest", of: hub)
        let words = try guest.status().words
        #expect(words.split(separator: " ").count == 6)
        #expect(try fixture.control(guest, "status").succeeded().text.contains(words))
        let own = try #require(try guest.members().first { $0.isSelf })
        #expect(own.words == words && own.state == .waiting)
        let seen = try #require(try host.members().first { $0.name == "guest" })
        #expect(seen.words == words)
        #expect(try fixture.control(host, "members").succeeded().text.contains(words))
        #expect(try fixture.control(host, "members", "--json").succeeded().text.contains(words))
        try eventually("the waiting client says its words") {
          try Files.text(guest.log).contains(
            "its words: \(words); on the master run: "
              + "fsharectl approve \(own.publicID) --words \"\(words)\"")
        }
        #expect(try host.status().words != words)
        // The words are the key's, so they outlive the process.
        try guest.crash()
        try guest.start(["--nowait", hub])
        try guest.waits(for: .waiting)
        #expect(try guest.status().words == words)
      }
    }

    @Test func aClientWithOtherWordsIsNotApproved() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        let guest = try fixture.waitingMember("guest", of: hub)
        let other = try fixture.waitingMember("other", of: hub)
        let (words, wrong) = (try guest.status().words, try other.status().words)
        for bad in [wrong, "", "abandon"] {
          let refused = try fixture.control(host, "approve", "guest", "--words", bad)
          #expect(refused.ending == .exit(1))
          #expect(refused.errorLines.count == 1)
          // What the master sees, so that the two can be compared.
          #expect(refused.errors.contains(words))
        }
        #expect(try guest.status().state == .waiting)
        let typed = words.split(separator: " ").map { $0.prefix(4).uppercased() }
        let done = try fixture.control(
          host, "approve", "\(try guest.publicID())", "--words", typed.joined(separator: "-"))
        #expect(try done.succeeded().text.contains(words))
        try guest.waits(for: .live)
        // Without words it is the user's to compare: they are shown.
        #expect(
          try fixture.control(host, "approve", "other", "--yes").succeeded().text.contains(wrong))
        try other.waits(for: .live)
        // Everyone who is in can compare the words of everyone who is in.
        let known = try eventuallySome("the guest knows the other's words") {
          try guest.members().first { $0.name == "other" }?.words
        }
        #expect(known == wrong)
      }
    }
  }
}
