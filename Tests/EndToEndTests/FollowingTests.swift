import CLinux
import Glibc
import System
import Testing

extension EndToEnd {
  /// Files that grow while they are held open.
  @Suite struct Following {
    /// S62, S63: `tail -F` on another member prints what is appended, each line once.
    @Test func othersFollowALogThatIsHeldOpen() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        let guest = try fixture.member("guest", of: hub, approvedBy: host)
        try Files.write(host.path("log"), "line 0\n")
        try fixture.waitFor(guest.path("log"), "line 0\n")
        let printed = fixture.newPath("printed")
        let complaints = fixture.newPath("complaints")
        let tail = try RunningProcess(
          ["tail", "-n", "+1", "-s", "0.05", "-F", guest.path("log")], output: printed,
          errors: complaints)
        let token = fixture.watch(tail)
        defer {
          tail.kill(SIGKILL)
          _ = try? tail.wait()
          fixture.unwatch(token)
        }
        let log = OwnedDescriptor(try Files.open(host.path("log"), O_WRONLY | O_APPEND))
        var wanted = "line 0\n"
        for number in 1...20 {
          let line = "line \(number)\n"
          wanted += line
          try File.writeAll(Array(line.utf8), to: log.raw, "log")
          try retryingOnInterrupt("fsync") { fsync(log.raw) }
          // Written on at once: the version that was announced has to be readable all the same.
          if number % 3 == 0 { continue }
          try eventually("tail prints line \(number)") { try Files.text(printed) == wanted }
        }
        // Neither closed nor synchronised: the time announces it.
        wanted += "last\n"
        try File.writeAll(Array("last\n".utf8), to: log.raw, "log")
        let (_, time) = try timed {
          try eventually("tail prints the last line") { try Files.text(printed) == wanted }
        }
        #expect(time < .seconds(8))
        #expect(try Files.text(complaints).isEmpty)
      }
    }

    /// S63: readers keep what they have of a file that grows; its owner sends little more than what
    /// is new.
    @Test func aFileThatGrowsIsNotSentAgain() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        let guest = try fixture.member("guest", of: hub, approvedBy: host)
        var content = Samples.bytes(64 << 20)
        try Files.write(guest.path("recording"), content)
        let copy = host.path("recording")
        try eventually("it is listed") { try Stat(path: copy).size == content.count }
        let reader = OwnedDescriptor(try Files.open(copy, O_RDONLY))
        let inode = try Stat(path: copy).ino
        let writer = OwnedDescriptor(try Files.open(guest.path("recording"), O_WRONLY | O_APPEND))
        #expect(try Files.read(copy) == content)
        let before = try bytesRead(by: guest)
        for step in 1...10 {
          let more = Samples.bytes(1_000 * step, seed: UInt64(step))
          content += more
          try File.writeAll(more, to: writer.raw, "recording")
          try retryingOnInterrupt("fsync") { fsync(writer.raw) }
          try eventually("it has grown") { try Stat(path: copy).size == content.count }
          #expect(try Files.read(copy) == content, "step \(step)")
        }
        // Less than the file once, in ten times: a busy kernel may have let go of pages in between.
        let sent = try bytesRead(by: guest) - before
        #expect(sent < content.count)
        // It is the same file all the time, for those too who have had it open.
        #expect(try Stat(path: copy).ino == inode)
        var end = [UInt8](repeating: 0, count: 20_000)
        let offset = content.count - 10_000
        #expect(pread(reader.raw, &end, end.count, off_t(offset)) == 10_000)
        #expect(end[..<10_000] == content[offset...])
      }
    }

    /// S26, S62: what is not only appended is another version: who has the old one open never gets
    /// a mixture.
    @Test func whatIsWrittenOverIsAnotherVersion() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        let guest = try fixture.member("guest", of: hub, approvedBy: host)
        let size = 4 << 20
        try Files.write(host.path("file"), [UInt8](repeating: 1, count: size))
        try eventually("it is listed") { try Stat(path: guest.path("file")).size == size }
        let inode = try Stat(path: guest.path("file")).ino
        let reader = OwnedDescriptor(try Files.open(guest.path("file"), O_RDONLY))
        let writer = OwnedDescriptor(try Files.open(host.path("file"), O_WRONLY))
        let piece = [UInt8](repeating: 2, count: 1 << 20)
        #expect(pwrite(writer.raw, piece, piece.count, 2 << 20) == piece.count)
        // Announced or not: what lies before is still what it was, what lies behind is not given
        // out.
        var byte: UInt8 = 0
        #expect(pread(reader.raw, &byte, 1, 0) == 1 && byte == 1)
        try retryingOnInterrupt("fsync") { fsync(writer.raw) }
        try eventually("it is another one") { try Stat(path: guest.path("file")).ino != inode }
        #expect(pread(reader.raw, &byte, 1, 1 << 20) == 1 && byte == 1)
        #expect(pread(reader.raw, &byte, 1, 2 << 20) == -1 && errno == ESTALE)
        let expected =
          [UInt8](repeating: 1, count: 2 << 20) + piece + [UInt8](repeating: 1, count: 1 << 20)
        #expect(try Files.read(guest.path("file")) == expected)
      }
    }

    /// Bytes that a daemon has read so far, from its disk and its connections.
    private func bytesRead(by daemon: Daemon) throws -> Int {
      let text = try Files.text("/proc/\(daemon.process.pid)/io")
      guard let line = text.split(separator: "\n").first(where: { $0.hasPrefix("rchar: ") }),
        let count = Int(line.dropFirst(7))
      else { throw NeverHappened(description: "no rchar in \(text)") }
      return count
    }
  }
}
