import CLinux
import Control
import Glibc
import System
import Testing

extension EndToEnd {
  /// Holes, reserving, copying and keeping own files' content, beside a plain folder.
  @Suite struct PosixContent {
    /// S43: holes, and what tells of them.
    @Test func holesAgree() throws {
      try withFixture { fixture in
        let (host, _) = try fixture.host()
        try fixture.expectAgreement(host.mount, "holes") { trace in
          let file = trace.open("file", O_CREAT | O_RDWR)
          trace.call("write behind a hole") { pwrite(file, "x", 1, 1 << 20) }
          trace.noteBlocks("while it is open", file)
          trace.noteBytes("in the hole", file, at: 100, count: 5)
          trace.noteSeeks(file)
          trace.call("grow") { ftruncate(file, 3 << 20) }
          trace.noteBlocks("grown", file)
          trace.noteSeeks(file)
          fsync(file)
          trace.noteSeeks(file)
          trace.call("cut") { ftruncate(file, 10) }
          trace.call("grow") { ftruncate(file, 20) }
          trace.noteBytes("cut and grown", file, at: 0, count: 30)
          close(file)
          trace.call("truncate") { truncate(trace.path("file"), 5_000) }
          trace.noteContent("file")
          let again = trace.open("file", O_RDWR)
          trace.call("a very large hole") { ftruncate(again, 1 << 40) }
          trace.noteBlocks("very large", again)
          trace.call("back") { ftruncate(again, 0) }
          close(again)
        }
      }
    }

    /// S43: what the own folder's file system reserves and punches.
    @Test func fallocateAgrees() throws {
      try withFixture { fixture in
        let (host, _) = try fixture.host()
        let punches = Int32(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE)
        try fixture.expectAgreement(host.mount, "fallocate") { trace in
          let file = trace.open("file", O_CREAT | O_RDWR)
          write(file, String(repeating: "y", count: 65_536), 65_536)
          func allocate(_ mode: Int32, _ offset: Int, _ length: Int) {
            trace.call("mode \(mode) \(offset) \(length)") { fallocate(file, mode, offset, length) }
            trace.noteBlocks("then", file)
          }
          allocate(0, 0, 131_072)
          allocate(Int32(FALLOC_FL_KEEP_SIZE), 131_072, 65_536)
          allocate(punches, 4_096, 8_192)
          trace.noteBytes("punched", file, at: 4_090, count: 12)
          allocate(Int32(FALLOC_FL_ZERO_RANGE), 20_000, 100)
          trace.noteBytes("zeroed", file, at: 19_998, count: 4)
          allocate(Int32(FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE), 150_000, 100)
          allocate(Int32(FALLOC_FL_ZERO_RANGE), 150_000, 100)
          allocate(Int32(FALLOC_FL_PUNCH_HOLE), 0, 10)
          allocate(0, -1, 5)
          allocate(0, 0, 0)
          trace.call("posix_fallocate") { Int(posix_fallocate(file, 0, 200_000)) }
          let reader = trace.open("file", O_RDONLY)
          trace.call("without leave") { fallocate(reader, 0, 0, 10) }
          close(reader)
          close(file)
        }
        let file = OwnedDescriptor(try Files.open(host.path("fallocate/file"), O_RDWR))
        for mode in [FALLOC_FL_COLLAPSE_RANGE, FALLOC_FL_INSERT_RANGE] {
          #expect(fallocate(file.raw, Int32(mode), 0, 4_096) == -1 && errno == EOPNOTSUPP)
        }
      }
    }

    /// S43: copying within own files, and between own and others'.
    @Test func copyFileRangeAgrees() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        try fixture.expectAgreement(host.mount, "copy") { trace in
          try Files.write(trace.path("from"), Samples.bytes(300_000, seed: 1))
          let from = trace.open("from", O_RDWR)
          let to = trace.open("to", O_CREAT | O_RDWR)
          func copy(
            _ what: String, _ from: Int32, _ at: Int64, _ to: Int32, _ target: Int64, _ count: Int
          ) {
            trace.call(what) { clinux_copy_file_range(from, at, to, target, count) }
          }
          copy("some", from, 5, to, 10, 200_000)
          trace.noteStat("copied", to)
          trace.noteBytes("bytes", to, at: 8, count: 20)
          copy("beyond the end", from, 400_000, to, 0, 10)
          copy("up to the end", from, 299_990, to, 0, 100)
          copy("in one file", from, 0, from, 500_000, 1_000)
          copy("onto itself", from, 0, from, 500, 1_000)
          let reader = trace.open("to", O_RDONLY)
          copy("to a reader", from, 0, reader, 0, 10)
          let appender = trace.open("to", O_WRONLY | O_APPEND)
          copy("to an appender", from, 0, appender, 0, 10)
          copy("from a writer", appender, 0, from, 0, 10)
          for file in [from, to, reader, appender] { close(file) }
          trace.note("digest", try Tree.digest(Array(trace.path("to").utf8)))
        }
        let guest = try fixture.member("guest", of: hub, approvedBy: host)
        let content = Samples.bytes(400_000, seed: 4)
        try Files.write(guest.path("theirs"), content)
        try eventually("it is listed") { try Stat(path: host.path("theirs")).size == 400_000 }
        let theirs = OwnedDescriptor(try Files.open(host.path("theirs"), O_RDONLY))
        let mine = OwnedDescriptor(try Files.open(host.path("mine"), O_CREAT | O_RDWR))
        var done = 0
        while done < content.count {
          let count = clinux_copy_file_range(
            theirs.raw, Int64(done), mine.raw, Int64(done), content.count - done)
          try #require(count > 0, "errno \(errno)")
          done += count
        }
        #expect(try Files.read(host.path("mine")) == content)
        // Others' files are all data; asking for it does not end such questions for own files.
        #expect(lseek(theirs.raw, 5, SEEK_DATA) == 5)
        #expect(lseek(theirs.raw, 5, SEEK_HOLE) == 400_000)
        #expect(lseek(theirs.raw, 400_000, SEEK_DATA) == -1 && errno == ENXIO)
        ftruncate(mine.raw, 1 << 20)
        #expect(lseek(mine.raw, 500_000, SEEK_DATA) == -1 && errno == ENXIO)
      }
    }

    /// S44, S10: what was synchronised is in the own folder, with its place, whatever happens to
    /// the program.
    @Test func whatWasSynchronisedIsThere() throws {
      try withFixture { fixture in
        let (host, _) = try fixture.host()
        try fixture.expectAgreement(host.mount, "fsync") { trace in
          let file = trace.open("file", O_CREAT | O_RDWR)
          write(file, "kept", 4)
          trace.call("fsync") { fsync(file) }
          trace.call("fdatasync") { fdatasync(file) }
          trace.call("syncfs") { syncfs(file) }
          let reader = trace.open("file", O_RDONLY)
          trace.call("fsync by a reader") { fsync(reader) }
          let folder = trace.open(".", O_RDONLY | O_DIRECTORY)
          trace.call("fsync of a folder") { fsync(folder) }
          let synchronous = trace.open("synchronous", O_CREAT | O_WRONLY | O_SYNC)
          trace.call("write") { write(synchronous, "at once", 7) }
          trace.noteContent("synchronous")
          unlink(trace.path("file"))
          trace.call("fsync of a removed file") { fsync(file) }
          for one in [file, reader, folder, synchronous] { close(one) }
        }
        for folder in ["a", "a/b", "a/b/c"] { try Files.makeFolder(host.path(folder)) }
        let file = OwnedDescriptor(try Files.open(host.path("a/b/c/new"), O_CREAT | O_RDWR))
        #expect(write(file.raw, "kept", 4) == 4)
        #expect(!Files.exists(host.own + "/a/b/c/new"))
        #expect(fsync(file.raw) == 0)
        #expect(try Files.text(host.own + "/a/b/c/new") == "kept")
        #expect(write(file.raw, " and more", 9) == 9)
        try host.crash()
        #expect(try Files.text(host.own + "/a/b/c/new") == "kept and more")
      }
    }
  }
}

extension Trace {
  /// Notes size and blocks of an open file.
  fileprivate func noteBlocks(_ what: String, _ file: Int32) {
    let stat = try? Stat(descriptor: file)
    note(what, "size \(stat?.size ?? -1), blocks \(stat?.blocks ?? -1)")
  }

  /// Notes where data and holes begin.
  fileprivate func noteSeeks(_ file: Int32) {
    for offset in [0, 1, 1 << 20, (1 << 20) + 4_096, 2 << 20, 3 << 20, -1] {
      call("data from \(offset)") { lseek(file, off_t(offset), SEEK_DATA) }
      call("hole from \(offset)") { lseek(file, off_t(offset), SEEK_HOLE) }
    }
  }
}
