import Control
import Glibc
import System
import Testing

extension EndToEnd {
  /// What is read of others' files outlives the reader's process.
  @Suite struct DiskCaches {
    private static let size = 80 << 20
    private static let half = 16 << 20

    private func uploaded(_ daemon: Daemon) throws -> UInt64 {
      let response = try ControlClient.call(
        stateFolder: daemon.state, request: ControlRequest(command: "transfers"))
      guard let result = response.result else {
        throw NeverHappened(description: "transfers was refused: \(response.message)")
      }
      return try result.decode(as: TransfersReport.self).transfers
        .filter { $0.direction == .uploading }.reduce(0) { $0 + $1.bytes }
    }

    private func cached(_ daemon: Daemon) throws -> Int { try daemon.status().diskCacheBytes ?? 0 }

    /// S72: a copy that is interrupted goes on from what is there, without its owner as far as that
    /// goes.
    @Test func aCopyGoesOnBehindARestart() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host(["--chunk-seconds", "0", "--chunk-cache", "0"])
        let owner = try fixture.member("owner", of: hub, approvedBy: host)
        let cache = fixture.newPath("cache")
        // Less in memory than may wait for the disk: all that comes is kept, however busy that is.
        let options = ["--cache", cache, "--cache-size", "1000", "-o", "memory=24"]
        let guest = try fixture.member("guest", of: hub, approvedBy: host, options)
        let film = Samples.bytes(Self.size)
        try Files.write(owner.path("film"), film)
        try fixture.waitFor(guest.path("film"))
        let file = try Files.open(guest.path("film"), O_RDONLY)
        // In steps, so that the disk keeps up: what it cannot take is not kept.
        let step = 2 << 20
        var bytes = [UInt8](repeating: 0, count: step)
        for start in stride(from: 0, to: Self.half, by: step) {
          #expect(pread(file, &bytes, step, off_t(start)) == step)
          try eventually("what was read is on disk") { try cached(guest) >= start + step }
        }
        // What was fetched ahead counts too, so all of it is waited for.
        let before = try eventuallySome("nothing more is uploaded, and all that came is on disk") {
          let first = (try uploaded(owner), try cached(guest))
          _ = poll(nil, 0, 100)
          return try (uploaded(owner), cached(guest)) == first ? first.0 : nil
        }
        try guest.crash()
        _ = Glibc.close(file)
        #expect(before < Self.size)

        owner.process.kill(SIGSTOP)
        try guest.start(["--nowait"] + options)
        try guest.waits(for: .live)
        try fixture.waitFor(guest.path("film"))
        #expect(try cached(guest) >= Self.half)
        #expect(
          try Files.read(guest.path("film"), at: 0, count: Self.half) == Array(film[..<Self.half]))
        let text = try fixture.control(guest, "status", "--all").succeeded().text
        #expect(text.contains("disk cache:") && text.contains(" of 1000.0 MiB"))

        owner.process.kill(SIGCONT)
        #expect(try Files.read(guest.path("film")) == film)
        let after = try uploaded(owner)
        #expect(after - before <= UInt64(Self.size - Self.half))
      }
    }

    /// S73: who is put out is forgotten, on both sides.
    @Test func whoIsPutOutIsForgotten() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        let (one, two) = (fixture.newPath("cache"), fixture.newPath("cache"))
        let guest = try fixture.member("guest", of: hub, approvedBy: host, ["--cache", one])
        let third = try fixture.member("third", of: hub, approvedBy: host, ["--cache", two])
        try Files.write(host.path("host's"), Samples.bytes(300_000, seed: 1))
        try Files.write(guest.path("guest's"), Samples.bytes(300_000, seed: 2))
        for reader in [guest, third] { try fixture.waitFor(reader.path("host's")) }
        try fixture.waitFor(third.path("guest's"))
        _ = try Files.read(guest.path("host's"))
        _ = try Files.read(third.path("host's"))
        _ = try Files.read(third.path("guest's"))
        try eventually("all is on disk") {
          try cached(guest) > 300_000 && cached(third) > 600_000
        }
        try fixture.control(host, "disapprove", "guest").succeeded()
        try guest.waits(for: .disapproved)
        try eventually("the guest has nothing") {
          try cached(guest) == 0 && Files.list(one) == ["lock"]
        }
        try eventually("third has what is the host's") {
          let bytes = try cached(third)
          return bytes > 300_000 && bytes < 400_000
        }
        #expect(try Files.list(two).count == 2)
      }
    }

    /// S72: a disk without room is nobody's error.
    @Test(.enabled(if: geteuid() == 0, "only root can mount a small disk"))
    func aFullCacheDiskIsNobodysError() throws {
      try withFixture { fixture in
        let disk = try fixture.newFolder("disk")
        try fixture.run("mount", "-t", "tmpfs", "-o", "size=2m,mode=700", "tmpfs", disk).succeeded()
        fixture.atEnd { MountPoint.detach(disk) }
        let (host, hub) = try fixture.host()
        let guest = try fixture.member("guest", of: hub, approvedBy: host, ["--cache", disk])
        let film = Samples.bytes(10_000_000)
        try Files.write(host.path("film"), film)
        try fixture.waitFor(guest.path("film"))
        #expect(try Files.read(guest.path("film")) == film)
        try eventually("the log says so, once") {
          try Files.text(guest.log).ranges(of: "the disk cache does not work").count == 1
        }
        #expect(try cached(guest) <= 2 << 20)
      }
    }

    /// S73: a folder that is open to others, in use, or where it may not be.
    @Test func aFolderThatCannotBeACache() throws {
      try withFixture { fixture in
        func fails(_ code: Int32, _ words: [String], _ reason: String) throws {
          let command = try fixture.run(
            [
              Programs.fsharefs, "--host", "--listen", "127.0.0.1:0", "--state",
              fixture.newPath("state"), "--own", fixture.folder + "/own",
            ] + words)
          #expect(command.ending == .exit(code), "\(command.errors)")
          #expect(command.errors.contains(reason), "\(command.errors)")
        }
        let mount = try fixture.newFolder("mount")
        let open = try fixture.newFolder("open")
        try fails(73, ["--cache", open, mount], "chmod 700")
        try fails(
          73, ["--cache", fixture.folder + "/own/cache", mount], "may not contain each other")
        try fails(66, ["--cache", mount + "/cache", mount], "may not contain each other")
        try fails(64, ["--cache-size", "100", mount], "--cache")
        try fails(64, ["--cache", open, "--cache-size", "1", mount], "from 64")
        let cache = fixture.newPath("cache")
        let (running, _) = try fixture.host(["--cache", cache])
        try fails(73, ["--cache", cache, mount], "in use by another fsharefs")
        #expect(try running.status().state == .live)
        #expect(try Stat(path: cache).permissions == 0o700)
      }
    }
  }
}
