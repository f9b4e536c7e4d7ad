import Control
import Glibc
import System
import Testing

extension EndToEnd {
  /// A disapproval is felt at once, on both sides, by programs that are in the middle of a file.
  @Suite struct Disapproval {
    private static let size = 40 << 20

    /// An open file of which the first bytes were read.
    private func opened(_ path: String) throws -> OwnedDescriptor {
      let file = OwnedDescriptor(try Files.open(path, O_RDONLY))
      var start = [UInt8](repeating: 0, count: 65_536)
      #expect(pread(file.raw, &start, start.count, 0) == start.count)
      return file
    }

    private func code(_ file: OwnedDescriptor, at offset: Int) -> Int32 {
      var bytes = [UInt8](repeating: 0, count: 4_096)
      return pread(file.raw, &bytes, bytes.count, off_t(offset)) < 0 ? errno : 0
    }

    @Test func programsInTheMiddleOfAFileAreRefused() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        let guest = try fixture.member("guest", of: hub, approvedBy: host)
        let third = try fixture.member("third", of: hub, approvedBy: host)
        try Files.write(host.path("host's"), Samples.bytes(Self.size, seed: 1))
        try Files.write(guest.path("guest's"), Samples.bytes(Self.size, seed: 2))
        try fixture.waitFor(third.path("guest's"))
        try fixture.waitFor(guest.path("host's"))
        let (theirs, ours, third1) = (
          try opened(guest.path("host's")), try opened(host.path("guest's")),
          try opened(third.path("guest's"))
        )
        let before = try third.status()
        try fixture.control(host, "disapprove", "guest").succeeded()
        try guest.waits(for: .disapproved)
        try fixture.waitForAbsence(third.path("guest's"))
        // What was read before, what the kernel may have kept, and what never came.
        for offset in [0, 4_096, Self.size - 4_096] {
          for (file, who) in [(theirs, "guest"), (ours, "host"), (third1, "third")] {
            try eventually("\(who) is refused at \(offset)") { code(file, at: offset) == EACCES }
          }
        }
        #expect(try guest.status().leafCacheBytes == 0)
        #expect(try third.status().seq > before.seq)
        // The key changed for those who are in, and for nobody else.
        #expect(try Files.text(third.state + "/group").contains("generation 2"))
        #expect(try Files.text(guest.state + "/group").contains("generation 1"))
        // Life goes on between the others, under the new key.
        try Files.write(third.path("new"), "n")
        try fixture.waitFor(host.path("new"), "n")

        try fixture.control(host, "approve", "guest", "--yes").succeeded()
        try guest.waits(for: .live)
        try fixture.waitFor(third.path("guest's"))
        #expect(
          try Files.read(third.path("guest's"), at: Self.size - 4_096, count: 4_096)
            == Array(Samples.bytes(Self.size, seed: 2).suffix(4_096)))
        #expect(try Files.text(guest.path("new")) == "n")
        #expect(try Files.text(guest.state + "/group").contains("generation 2"))
      }
    }

    /// Whoever is away while the key changes has it when it comes back, even with the master away.
    @Test func aMemberThatWasAwayGetsTheNewKey() throws {
      try withFixture { fixture in
        let hub = try fixture.hub()
        let master = try fixture.master(hub)
        let guest = try fixture.member("guest", of: hub.address, approvedBy: master)
        let third = try fixture.member("third", of: hub.address, approvedBy: master)
        let fourth = try fixture.member("fourth", of: hub.address, approvedBy: master)
        try Files.write(fourth.path("file"), "content")
        try fixture.waitFor(third.path("file"), "content")
        third.process.kill(SIGSTOP)
        try fixture.control(master, "disapprove", "guest").succeeded()
        try guest.waits(for: .disapproved)
        try hub.crash()
        try master.crash()
        try hub.restart()
        third.process.kill(SIGCONT)
        try eventually("third has the new key from the hub") {
          try Files.text(third.state + "/group").contains("generation 2")
        }
        try eventually("and reads under it") {
          try Files.text(third.path("file")) == "content"
        }
      }
    }
  }
}
