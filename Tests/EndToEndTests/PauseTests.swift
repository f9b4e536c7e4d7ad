import Control
import Glibc
import System
import Testing

extension EndToEnd {
  /// `fsharectl pause` and `resume`, at the reader's side and at the owner's.
  @Suite struct Pauses {
    /// Starts a program that reads a file to its end and writes what it read to `copy`.
    private func reader(
      _ fixture: Fixture, _ path: String, to copy: String
    ) throws -> RunningProcess {
      let process = try RunningProcess(["cat", path], output: copy, errors: copy + ".errors")
      _ = fixture.watch(process)
      return process
    }

    @Test func aPausedFileWaitsBeyondItsDeadlineAndOthersGoOn() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        let guest = try fixture.member("guest", of: hub, approvedBy: host, ["-o", "timeout=1"])
        let content = Samples.bytes(3_000_000, seed: 6)
        try Files.makeFolder(host.path("films"))
        try Files.write(host.path("films/one"), content)
        try Files.write(host.path("films/two"), content)
        try Files.write(host.path("other"), "other")
        try fixture.waitFor(guest.path("films/two"))
        try fixture.waitFor(guest.path("other"))

        // By the path under the mountpoint; the folder with all below it.
        try fixture.control(guest, "pause", guest.path("films/")).succeeded()
        #expect(try guest.status().paused == ["films"])
        let copies = ["one", "two"].map { fixture.newPath($0) }
        let readers = try zip(["films/one", "films/two"], copies).map {
          try reader(fixture, guest.path($0), to: $1)
        }
        try eventually("both reads wait") { try guest.status().readsWaiting >= 2 }
        try throughout("they wait beyond their deadline", .milliseconds(2_500)) {
          let isWaiting = try guest.status().readsWaiting >= 2
          return isWaiting && readers.allSatisfy { $0.ended == nil }
        }
        #expect(try Files.text(guest.path("other")) == "other")
        #expect(try guest.status().leafCacheBytes < 1_000)

        let part = try fixture.control(guest, "resume", "films/one")
        #expect(part.ending == .exit(1))
        #expect(part.errors.contains("'films' is paused as a whole"))
        try fixture.control(guest, "resume", "films").succeeded()
        for (one, copy) in zip(readers, copies) {
          #expect(try one.wait() == .exit(0))
          #expect(try Files.read(copy) == content)
        }
        #expect(try guest.status().paused.isEmpty)
      }
    }

    @Test func whatWasFetchedIsServedAndAKilledReaderEndsAtOnce() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        let guest = try fixture.member("guest", of: hub, approvedBy: host)
        let content = Samples.bytes(6_000_000, seed: 7)
        try Files.write(host.path("big"), content)
        try fixture.waitFor(guest.path("big"))
        #expect(try Files.read(guest.path("big"), at: 0, count: 1_000) == Array(content[..<1_000]))

        try fixture.control(guest, "pause").succeeded()
        #expect(try guest.status().paused == ["/"])
        // Not through the kernel's cache: from the leaves in memory.
        #expect(
          try Files.read(guest.path("big"), at: 2_000, count: 9) == Array(content[2_000..<2_009]))
        let reader = try reader(fixture, guest.path("big"), to: fixture.newPath("copy"))
        try eventually("the read waits") { try guest.status().readsWaiting > 0 }
        reader.kill(SIGKILL)
        #expect(try reader.wait(within: .seconds(5)) == .signal(SIGKILL))
        // What the kernel wanted to read ahead for it is let go too.
        try eventually("nothing is held") { try guest.status().readsWaiting == 0 }
        try fixture.control(guest, "resume").succeeded()
        #expect(try Files.read(guest.path("big")) == content)
      }
    }

    @Test func veryManyPausedReadsStarveNobody() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        let guest = try fixture.member("guest", of: hub, approvedBy: host)
        let count = 200
        try Files.makeFolder(host.path("many"))
        for number in 0..<count { try Files.write(host.path("many/\(number)"), "x\(number)") }
        try Files.write(host.path("other"), "other")
        try fixture.waitFor(guest.path("other"))
        try fixture.waitFor(guest.path("many/\(count - 1)"))
        try fixture.control(guest, "pause", "many").succeeded()
        let errors = fixture.newPath("errors")
        let copy = fixture.newPath("copy")
        let readers = try RunningProcess(
          [
            "sh", "-c", "for f in \"$1\"/many/*; do cat \"$f\" & done; wait", "sh", guest.mount,
          ], output: copy, errors: errors)
        _ = fixture.watch(readers)
        // Half of the kernel's 256 requests at a time are held; the others are told to try again.
        try eventually("reads are held, and others told to try again") {
          let held = try guest.status().readsWaiting
          let refused = try Files.text(errors).ranges(of: "Resource temporarily unavailable").count
          if held > 128 { throw NeverHappened(description: "\(held) reads are held") }
          return held > 0 && refused > 0
        }
        let (text, time) = try timed { try Files.text(guest.path("other")) }
        #expect(text == "other" && time < .seconds(5))
        try fixture.control(guest, "resume").succeeded()
        #expect(try readers.wait() == .exit(0))
        // Each either had its answer at once, or the bytes.
        let refused = try Files.text(errors).ranges(of: "Resource temporarily unavailable").count
        #expect(try Files.text(copy).ranges(of: "x").count == count - refused)
      }
    }

    @Test func anOwnersPauseMakesAskersWaitWithinTheirDeadlines() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        let guest = try fixture.member("guest", of: hub, approvedBy: host, ["-o", "timeout=3"])
        let content = Samples.bytes(1_000_000, seed: 8)
        try Files.write(host.path("file"), content)
        try fixture.waitFor(guest.path("file"))

        try fixture.control(host, "pause", "--uploads").succeeded()
        #expect(try host.status().uploadsPaused)
        #expect(Files.errorOf { _ = try Files.read(guest.path("file")) } == ETIMEDOUT)
        let copy = fixture.newPath("copy")
        let reader = try reader(fixture, guest.path("file"), to: copy)
        try eventually("the read waits") { try guest.status().readsWaiting > 0 }
        try fixture.control(host, "resume", "--uploads").succeeded()
        #expect(try reader.wait() == .exit(0))
        #expect(try Files.read(copy) == content)
        #expect(try !host.status().uploadsPaused)
      }
    }

    @Test func whatIsNoOthersFileIsNotPaused() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        let guest = try fixture.member("guest", of: hub, approvedBy: host)
        try Files.write(guest.path("mine"), "m")
        for (words, reason) in [
          (["pause", "nowhere"], "there is no 'nowhere'"), (["pause", "a/../b"], "no path"),
          (["pause", "mine"], "own file"), (["why", "nowhere"], "there is no 'nowhere'"),
        ] {
          let refused = try fixture.run([Programs.control] + words + ["--state", guest.state])
          #expect(refused.ending == .exit(1))
          #expect(refused.errorLines.count == 1 && refused.errors.contains(reason))
        }
        let wrong = try fixture.control(guest, "pause", "--uploads", "mine")
        #expect(wrong.ending == .exit(64))
        #expect(try fixture.control(guest, "resume").succeeded().text == "nothing was paused\n")
      }
    }
  }
}
