import CLinux
import Control
import Glibc
import System
import Testing

extension EndToEnd {
  @Suite struct Crawlers {
    /// S6, S50: whoever only looks at names and attributes asks nobody: it goes on while nobody
    /// answers.
    @Test func lookingAsksNobody() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        let guest = try fixture.member("guest", of: hub, approvedBy: host)
        try Samples.folder(host.path("folder"), seed: 31)
        for index in 0..<300 { try Files.makeFolder(host.path("folder/nested/\(index)")) }
        try fixture.waitForSameList(host, guest)
        host.process.kill(SIGSTOP)
        defer { host.process.kill(SIGCONT) }
        let crawlers = [
          "find \"$1\" -printf '%p %s %m %T@ %i %n %l\\n' | wc -l", "du -a \"$1\" | wc -l",
          "du -a --apparent-size \"$1\" | wc -l", "ls -laR \"$1\" | wc -l",
          "find \"$1\" -newer \"$1\" -o -size +1M",
          "find \"$1\" -type f -readable -not -empty | wc -l", "tar -C \"$1\" -cf /dev/null .",
        ]
        for crawler in crawlers {
          let (done, time) = try timed { try fixture.shell(crawler, guest.mount) }
          try done.succeeded()
          #expect(time < .seconds(5), "\(crawler) took \(time)")
        }
        // Opening alone fetches nothing either, nor does asking where the data is.
        let file = OwnedDescriptor(try Files.open(guest.path("folder/131073 bytes"), O_RDONLY))
        #expect(lseek(file.raw, 0, SEEK_HOLE) == 131_073)
        host.process.kill(SIGCONT)
        try host.waits(for: .live)
        try guest.waits(for: .live)
        #expect(try guest.status().leafCacheBytes == 0)
        try fixture.waitForEquality(host.mount, guest.mount)
      }
    }

    /// S50: a program that looks at the beginnings of files, as thumbnailers do, brings no more
    /// than those.
    @Test func aPeekBringsLittle() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        let guest = try fixture.member("guest", of: hub, approvedBy: host)
        let count = 12
        for index in 0..<count {
          try Files.write(
            host.path("picture \(index)"), Samples.bytes(4 << 20, seed: UInt64(index)))
        }
        try fixture.waitForSameList(host, guest)
        try fixture.shell(
          "for file in \"$1\"/*; do head -c 512 \"$file\" | wc -c; done", guest.mount
        ).succeeded()
        let fetched = try guest.status().leafCacheBytes
        #expect(fetched >= count * 128 * 1024)
        #expect(fetched <= count << 20, "\(fetched) bytes for \(count) peeks")
      }
    }

    /// S74: own files are written in the largest pieces, and others' are looked at in small ones.
    @Test func filesSayByWhatTheyAreBestReadAndWritten() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        let guest = try fixture.member("guest", of: hub, approvedBy: host)
        try Files.write(host.path("file"), Samples.bytes(10, seed: 1))
        try fixture.waitForSameList(host, guest)
        func blockSize(_ path: String) throws -> Int {
          var found = stat()
          try retryingOnInterrupt("stat") { stat(path, &found) }
          return Int(found.st_blksize)
        }
        #expect(try blockSize(host.path("file")) == 1 << 20)
        #expect(try blockSize(guest.path("file")) == 128 << 10)
      }
    }

    /// Large pieces cost a fraction of small ones, and only root may have the kernel ask for them.
    @Test(.enabled(if: geteuid() == 0, "only root can set a mount's read-ahead"))
    func theKernelAsksForLargePieces() throws {
      try withFixture { fixture in
        let (host, _) = try fixture.host()
        let device = try Stat(path: host.mount).dev
        let (major, minor) = (device >> 8 & 0xfff, device & 0xff | device >> 12 & 0xfff00)
        let setting = "/sys/class/bdi/\(major):\(minor)/read_ahead_kb"
        #expect(try Files.text(setting) == "1024\n")
      }
    }
  }
}
