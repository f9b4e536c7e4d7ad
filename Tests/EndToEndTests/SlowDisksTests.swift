import CLinux
import Control
import Glibc
import System
import Testing

extension EndToEnd {
  /// Files of one's own whose disk does not answer, and what is no file at all.
  @Suite struct SlowDisks {
    private static let size = 600_000

    /// S76: a file system that hangs, shared in place (another mount of ours whose daemon is
    /// stopped), holds up who reads from it, on either side, and nobody else.
    @Test func aDiskThatDoesNotAnswerHoldsUpItselfOnly() throws {
      try withFixture(within: .seconds(120)) { fixture in
        let (far, _) = try fixture.host(name: "far")
        try Files.makeFolder(far.path("disk"))
        for number in 0..<8 {
          try Files.write(far.path("disk/\(number)"), Samples.bytes(Self.size + number))
        }
        let (host, hub) = try fixture.host()
        let guest = try fixture.member("guest", of: hub, approvedBy: host)
        try Files.write(guest.path("mine"), Samples.bytes(Self.size))
        try fixture.control(guest, "share", far.path("disk"), "--as", "far").succeeded()
        for number in 0..<8 { try fixture.waitFor(host.path("far/\(number)")) }
        let stopped = far.process
        stopped.kill(SIGSTOP)
        fixture.atEnd { stopped.kill(SIGCONT) }

        // Six programs here and eight there want files that do not come: more than there are
        // threads for the disk.
        var readers: [RunningProcess] = []
        for (mount, count) in [(host.mount, 8), (guest.mount, 6)] {
          for number in 0..<count {
            let reader = try RunningProcess(
              ["cat", "\(mount)/far/\(number)"], output: fixture.newPath("read-\(number)"),
              errors: fixture.newPath("errors"))
            _ = fixture.watch(reader)
            readers.append(reader)
          }
        }
        try eventually("the owner has said that it does not answer") {
          try Files.text(guest.log).contains("its disk does not answer")
        }
        let (_, time) = try timed {
          #expect(try Files.read(host.path("mine")) == Samples.bytes(Self.size))
          #expect(try Files.read(guest.path("mine")) == Samples.bytes(Self.size))
          for number in 0..<20 { try Files.write(guest.path("new\(number)"), "\(number)") }
          try Files.rename(guest.path("new3"), guest.path("renamed"))
          #expect(try Files.list(guest.mount).count == 22)
          #expect(try Files.list(guest.path("far")).count == 8)
          try Files.write(guest.own + "/dropped", "by hand")
          try fixture.waitFor(host.path("dropped"), "by hand")
          try fixture.waitFor(host.path("renamed"), "3")
        }
        #expect(time < .seconds(20), "it took \(time)")
        #expect(readers.allSatisfy { $0.ended == nil })
        stopped.kill(SIGCONT)
        for reader in readers { #expect(try reader.wait(within: .seconds(60)) == .exit(0)) }
        #expect(try Files.read(host.path("far/7")) == Samples.bytes(Self.size + 7))
      }
    }

    /// S76: a disk that fails gives readers of that file its error, and its owner a line.
    @Test(.enabled(if: geteuid() == 0, "only root can trace what sheds its rights"))
    func aDiskThatFailsSaysSo() throws {
      try withFixture(within: .seconds(90)) { fixture in
        let (host, hub) = try fixture.host()
        let guest = try fixture.member("guest", of: hub, approvedBy: host)
        for name in ["bad", "good"] { try Files.write(guest.path(name), Samples.bytes(Self.size)) }
        #expect(try guest.leave() == .exit(0))
        try guest.start(
          ["--nowait", hub],
          through: [
            "strace", "-D", "-f", "-qqq", "-o", "/dev/null", "-P", guest.own + "/bad", "-e",
            "trace=pread64", "-e", "inject=pread64:error=EIO",
          ])
        try guest.waits(for: .live)
        try fixture.waitFor(host.path("bad"))
        #expect(Files.errorOf { _ = try Files.read(host.path("bad")) } == EIO)
        #expect(try Files.text(guest.log).contains("cannot be read; whoever reads it"))
        #expect(try Files.read(host.path("good")) == Samples.bytes(Self.size))
      }
    }

    /// S76: a pipe, put in the place of a file that is shared, is not opened to wait for its other
    /// end.
    @Test func aPipeInThePlaceOfAFileHoldsUpNobody() throws {
      try withFixture(within: .seconds(90)) { fixture in
        let (host, hub) = try fixture.host()
        let guest = try fixture.member("guest", of: hub, approvedBy: host)
        for name in ["file", "other"] {
          try Files.write(guest.path(name), Samples.bytes(Self.size))
          try fixture.waitFor(host.path(name))
        }
        let opened = try Files.open(host.path("file"), O_RDONLY)
        defer { _ = close(opened) }
        for _ in 0..<20 {
          try fixture.shell(
            "cd \"$1\"; mkfifo pipe; mv -f pipe file; timeout 20 cat \"$2/file\" > /dev/null 2>&1; exit 0",
            guest.own, host.mount
          ).succeeded()
          #expect(try Files.read(host.path("other")) == Samples.bytes(Self.size))
        }
        var byte: UInt8 = 0
        #expect(pread(opened, &byte, 1, 500_000) == -1)
        try fixture.shell("rm \"$1/file\"; echo new > \"$1/file\"", guest.own).succeeded()
        try fixture.waitFor(host.path("file"), "new\n")
      }
    }
  }
}
