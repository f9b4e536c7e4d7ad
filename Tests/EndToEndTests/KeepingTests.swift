import Control
import Glibc
import System
import Testing

extension EndToEnd {
  /// S121: `fsharectl keep`, `unkeep`, `keeps` and `fetch`.
  @Suite struct KeepingFiles {
    private func keep(_ daemon: Daemon, _ path: String = "/") throws -> KeepsReport.Keep? {
      let response = try ControlClient.call(
        stateFolder: daemon.state, request: ControlRequest(command: "keeps", arguments: [path]))
      return try #require(response.result).decode(as: KeepsReport.self).keeps.first
    }

    /// What is kept is here whole, what comes later too, and can be read without hub and owner,
    /// also by the next process.
    @Test func whatIsKeptIsReadWithoutTheNetwork() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        let owner = try fixture.member("owner", of: hub, approvedBy: host)
        let options = ["--cache", fixture.newPath("cache"), "--cache-size", "200"]
        let guest = try fixture.member("guest", of: hub, approvedBy: host, options)
        let (film, note) = (Samples.bytes(20_000_001, seed: 1), Samples.bytes(5_000, seed: 2))
        try Files.makeFolder(owner.path("travel"))
        try Files.makeFolder(owner.path("travel/deep"))
        try Files.write(owner.path("travel/film"), film)
        for number in 0..<100 {
          try Files.write(owner.path("travel/deep/\(number)"), note + [UInt8(number)])
        }
        try Files.write(owner.path("travel/empty"), "")
        try Files.write(owner.path("beside"), note)
        try fixture.waitFor(guest.path("beside"))
        try fixture.waitForSameList(owner, guest)

        let done = try fixture.control(guest, "keep", guest.path("travel")).succeeded().text
        #expect(done.hasPrefix("travel is here whole: 102 files"), "\(done)")
        // It comes later, below what is kept: a new file, and a new version of one.
        try Files.write(owner.path("travel/deep/later"), note)
        try Files.write(owner.path("travel/deep/7"), film)
        try eventually("the later ones are here too") {
          let keep = try keep(guest, "travel")
          return keep?.files == 103 && keep?.state == .whole
        }
        let table = try fixture.control(guest, "keeps").succeeded().text
        #expect(table.contains("travel") && table.contains("whole"), "\(table)")
        // What lies beside is not.
        #expect(try keep(guest, "beside") == nil)

        owner.process.kill(SIGSTOP)
        host.process.kill(SIGSTOP)
        #expect(try Files.read(guest.path("travel/film")) == film)
        #expect(try guest.leave() == .exit(0))
        try guest.start(["--nowait"] + options)
        try fixture.waitFor(guest.path("travel/deep/99"))
        #expect(try Files.read(guest.path("travel/deep/99")) == note + [99])
        #expect(try Files.read(guest.path("travel/deep/7")) == film)
        #expect(try Files.read(guest.path("travel/deep/later")) == note)
        #expect(try Files.text(guest.path("travel/empty")).isEmpty)
        host.process.kill(SIGCONT)
        owner.process.kill(SIGCONT)
        try guest.waits(for: .live)
        try fixture.control(guest, "unkeep", "travel").succeeded()
        #expect(try fixture.control(guest, "keeps").succeeded().text == "nothing is kept\n")
        #expect(try fixture.control(guest, "unkeep", "travel").ending == .exit(1))
      }
    }

    /// What is read beside it goes out of the cache, what is kept does not.
    @Test func whatIsKeptDoesNotGoOut() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        let options = [
          "--cache", fixture.newPath("cache"), "--cache-size", "64", "-o", "memory=24",
        ]
        let guest = try fixture.member("guest", of: hub, approvedBy: host, options)
        let kept = Samples.bytes(30 << 20, seed: 3)
        try Files.write(host.path("kept"), kept)
        try fixture.waitFor(guest.path("kept"))
        try fixture.control(guest, "fetch", "kept").succeeded()
        #expect(try keep(guest, "kept")?.isOnce == true)
        try fixture.control(guest, "keep", "kept").succeeded()
        try Files.write(host.path("other"), Samples.bytes(90 << 20, seed: 4))
        try fixture.waitFor(guest.path("other"))
        try fixture.shell("cat \"$1\" > /dev/null", guest.path("other")).succeeded()
        host.process.kill(SIGSTOP)
        #expect(try Files.read(guest.path("kept")) == kept)
        host.process.kill(SIGCONT)
        let status = try guest.status()
        #expect(try #require(status.diskCacheBytes) <= 64 << 20)

        // Too much is said before anything is fetched; what cannot be kept, too.
        let tooMuch = try fixture.control(guest, "keep", "/")
        #expect(tooMuch.ending == .exit(1) && tooMuch.errors.contains("larger --cache-size"))
        #expect(try fixture.control(guest, "keep", "nothing").errors.contains("there is no"))
        try Files.write(guest.path("own"), "mine")
        #expect(try fixture.control(guest, "keep", "own").errors.contains("your own file"))
        let without = try fixture.control(host, "keep", "own")
        #expect(without.ending == .exit(1) && without.errors.contains("--cache DIR"))
      }
    }

    /// Where the owner is away it says so, and goes on when he is back.
    @Test func whatCannotBeHadIsSaid() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        let owner = try fixture.member("owner", of: hub, approvedBy: host)
        let guest = try fixture.member(
          "guest", of: hub, approvedBy: host,
          ["--cache", fixture.newPath("cache"), "--cache-size", "64", "-o", "memory=24"])
        try Files.write(owner.path("file"), Samples.bytes(3 << 20))
        try fixture.waitFor(guest.path("file"))
        try owner.crash()
        try eventually("the guest has heard of it") {
          try guest.members().contains { $0.name == "owner" && $0.presence == .away }
        }
        let keep = try fixture.control(guest, "keep", "file")
        #expect(keep.ending == .exit(1), "\(keep.text)")
        #expect(
          keep.text.contains("owner (client") && keep.text.contains("is away"), "\(keep.text)")
        // That one is waited for holds up nothing else.
        try Files.write(host.path("other"), Samples.bytes(3 << 20, seed: 5))
        try fixture.waitFor(guest.path("other"))
        let other = try fixture.control(guest, "keep", "other")
        #expect(other.ending == .exit(0), "\(other.text)")
        let table = try fixture.control(guest, "keeps").succeeded().text
        #expect(table.contains("waiting") && table.contains("whole"), "\(table)")
        // Nor does it keep the cache from making room, by the next process either.
        #expect(try guest.leave() == .exit(0))
        try guest.start(["--nowait", hub])
        try guest.waits(for: .live)
        for name in ["large", "larger"] {
          try Files.write(host.path(name), Samples.bytes(70 << 20))
          try fixture.waitFor(guest.path(name))
          try fixture.shell("cat \"$1\" > /dev/null", guest.path(name)).succeeded()
        }
        try eventually("the later one is in the cache, in the place of the earlier") {
          let state = try fixture.run(
            "getfattr", "--only-values", "-n", "user.fsharefs.state", guest.path("larger"))
          return try state.succeeded().text.firstMatch(of: /cached [3-9][0-9]%/) != nil
        }
        try owner.start(["--nowait", hub])
        try eventually("it is here") { try self.keep(guest, "file")?.state == .whole }
      }
    }
  }
}
