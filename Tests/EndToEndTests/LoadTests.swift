import Control
import Glibc
import System
import Testing

extension EndToEnd {
  @Suite struct Load {
    /// S24: several programs read several files at the same time.
    @Test func manyReadersGetWhatIsThere() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        let members = [
          try fixture.member("anna", of: hub, approvedBy: host),
          try fixture.member("bert", of: hub, approvedBy: host),
        ]
        for index in 0..<4 {
          try Files.write(
            host.path("\(index)"), Samples.bytes(6_000_000 + index, seed: UInt64(index + 1)))
        }
        let wanted = try (0..<4).map { try Tree.digest(Array(host.path("\($0)").utf8)) }
        for member in members { try fixture.waitFor(member.path("3")) }
        let seen = Locked<[String: UInt64]>([:])
        let paths = members.flatMap { member in (0..<4).map { member.path("\($0)") } }
        let readers = try paths.map { path in
          try Thread.start(name: "reader") {
            guard let digest = try? Tree.digest(Array(path.utf8)) else { return }
            seen.withLock { $0[path] = digest }
          }
        }
        for reader in readers { reader.join() }
        for (index, path) in paths.enumerated() {
          #expect(seen.withLock { $0[path] } == wanted[index % 4], "\(path)")
        }
      }
    }

    /// 20,000 entries come across; S6: a second `find` needs nobody.
    @Test func aLongListComesAcross() throws {
      try withFixture { fixture in
        let own = try fixture.newFolder("own")
        for folder in 0..<20 {
          try Files.makeFolder("\(own)/\(folder)")
          for file in 0..<999 { try Files.write("\(own)/\(folder)/\(file)", "") }
        }
        let (host, hub) = try fixture.host(own: own)
        let guest = try fixture.member("guest", of: hub, approvedBy: host)
        try guest.lists(20_000)
        try host.lists(20_000)
        func found(_ path: String) throws -> Int {
          try fixture.run("find", path, "-mindepth", "1").succeeded().output.count { $0 == 0x0a }
        }
        #expect(try found(guest.mount) == 20_000)
        // Frozen, the host can answer nothing.
        host.process.kill(SIGSTOP)
        defer { host.process.kill(SIGCONT) }
        let (count, time) = try timed { try found(guest.mount) }
        #expect(count == 20_000)
        #expect(time < .seconds(10))
      }
    }

    /// S32: a full disk is the writer's error; nothing half is shared, nothing is left behind.
    @Test(.enabled(if: geteuid() == 0, "only root can mount a small disk"))
    func aFullDiskIsTheWritersError() throws {
      try withFixture { fixture in
        let disk = try fixture.newFolder("disk")
        try fixture.run("mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", disk).succeeded()
        fixture.atEnd { MountPoint.detach(disk) }
        try Files.makeFolder(disk + "/own")
        let (host, hub) = try fixture.host()
        let guest = try fixture.member("guest", of: hub, approvedBy: host, own: disk + "/own")
        let source = fixture.newPath("source")
        try Files.write(source, Samples.bytes(5_000_000))
        let copy = try fixture.run("cp", source, guest.path("big"))
        #expect(copy.ending == .exit(1))
        #expect(copy.errors.contains("No space left on device"))
        // cp leaves what it could write; taking that back must free the disk.
        _ = try fixture.run("rm", "-f", guest.path("big"))
        try fixture.waitForAbsence(guest.path("big"))
        try fixture.waitForAbsence(host.path("big"))
        try Files.write(guest.path("small"), Samples.bytes(1_000_000))
        try fixture.waitForEquality(host.mount, guest.mount)
      }
    }
  }
}
