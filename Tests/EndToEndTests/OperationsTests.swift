import Control
import Glibc
import System
import Testing

extension EndToEnd {
  @Suite struct Operations {
    /// Each step is done at one side with the program that people use, and seen at the other.
    /// S5, S8, S13, S14, S15, S16, S17, S18, S19, S30.
    @Test func everyProgramsWorkIsSeenAtTheOtherSide() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        let guest = try fixture.member("guest", of: hub, approvedBy: host)
        let source = fixture.newPath("source")
        try Samples.folder(source, seed: 3)
        let (mine, theirs) = (host.mount, guest.mount)

        func step(_ script: String, _ words: String...) throws {
          let done = try fixture.run(["sh", "-ec", script, "sh", mine, source] + words)
          try done.succeeded()
          try fixture.waitForEquality(mine, theirs)
        }
        try step("cp -r \"$2\" \"$1/folder\"")
        try step("cp \"$2/private\" \"$1/file\"")
        try step("mv \"$1/file\" \"$1/renamed\"")
        try step("mv \"$1/folder\" \"$1/moved folder\"")
        try step("echo other > \"$1/other\"; mv \"$1/renamed\" \"$1/other\"")
        #expect(try Files.text(theirs + "/other") == Files.text(source + "/private"))
        try step("mv \"$1/other\" \"$1/moved folder/nested/\"")
        try step("rm \"$1/moved folder/nested/link\"")
        try step("mkdir -p \"$1/a/b/c\"; rmdir \"$1/a/b/c\"")
        try step("ln -s b/later \"$1/a/link\"")
        try step("echo one > \"$1/log\"")
        try step("echo two >> \"$1/log\"")
        #expect(try Files.text(theirs + "/log") == "one\ntwo\n")
        try step("truncate -s 2 \"$1/log\"")
        try step("truncate -s 300000 \"$1/log\"")
        try step("printf middle | dd of=\"$1/log\" bs=1 seek=131070 conv=notrunc status=none")
        #expect(try Files.read(theirs + "/log", at: 131_070, count: 6) == Array("middle".utf8))
        try step("echo again > \"$1/log\"")
        try step("(echo forked; echo twice) > \"$1/cmd\"")
        #expect(try Files.text(theirs + "/cmd") == "forked\ntwice\n")
        try step("touch \"$1/touched\"; touch -d '2001-02-03 04:05:06.789' \"$1/log\"")
        try step("chmod 711 \"$1/cmd\"; chmod 700 \"$1/a\"")
        try step("cp -p \"$2/nested/deeper/deepest/program\" \"$1/kept\"")
        #expect(
          try Stat(path: theirs + "/kept").mtime
            == Stat(path: source + "/nested/deeper/deepest/program").mtime)
        try step("rm -r \"$1/moved folder\"")
        try step("rm -rf \"$1/a\" \"$1/log\" \"$1/cmd\" \"$1/touched\" \"$1/kept\"")
        #expect(try Files.list(theirs).isEmpty)
      }
    }

    /// S15: an editor writes a temporary file and renames it over the old one; no reader ever
    /// misses the path.
    @Test func anEditorsSaveIsOneChange() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        let guest = try fixture.member("guest", of: hub, approvedBy: host)
        try Files.write(host.path("text"), "first")
        try fixture.waitFor(guest.path("text"), "first")
        for version in 1...10 {
          try Files.write(host.path(".text.swp"), "version \(version)")
          try Files.rename(host.path(".text.swp"), host.path("text"))
          try eventually("version \(version)") {
            // The path is there at every look, whatever its content.
            try #require(Files.exists(guest.path("text")))
            return (try? Files.text(guest.path("text"))) == "version \(version)"
          }
        }
        try fixture.waitForEquality(host.mount, guest.mount)
      }
    }

    /// S24: reads at odd places of somebody else's file.
    @Test func readsAtOddOffsetsAreRight() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        let guest = try fixture.member("guest", of: hub, approvedBy: host)
        let content = Samples.bytes(3_000_001, seed: 9)
        try Files.write(host.path("big"), content)
        try fixture.waitFor(guest.path("big"))
        for (offset, count) in [
          (2_999_999, 100), (131_071, 2), (131_072, 131_072), (1, 1_000_000), (0, 1),
          (3_000_001, 10), (2_000_000, 65_537),
        ] {
          let seen = try Files.read(guest.path("big"), at: offset, count: count)
          let end = min(offset + count, content.count)
          #expect(seen == Array(content[min(offset, end)..<end]), "\(count) bytes at \(offset)")
        }
        let sums = try fixture.shell(
          "md5sum < \"$1\"; md5sum < \"$2\"", host.path("big"), guest.path("big")
        ).succeeded().text.split(separator: "\n")
        #expect(sums.count == 2 && sums[0] == sums[1])
        try fixture.shell("dd if=\"$1\" of=/dev/null bs=4097 skip=3 status=none", guest.path("big"))
          .succeeded()
      }
    }

    /// S17, S20: what a share does not have is refused with the error that programs know.
    @Test func whatAShareDoesNotHaveIsRefused() throws {
      try withFixture { fixture in
        let (host, _) = try fixture.host()
        try Files.write(host.path("file"), "x")
        try Files.makeFolder(host.path("folder"))
        try Files.write(host.path("folder/inside"), "x")
        let file = host.path("file")
        func error(_ call: () -> Int32) -> Int32 { call() == 0 ? 0 : errno }
        #expect(error { rmdir(host.path("folder")) } == ENOTEMPTY)
        #expect(error { rmdir(file) } == ENOTDIR)
        #expect(error { unlink(host.path("folder")) } == EISDIR)
        #expect(error { link(file, host.path("hard link")) } == EPERM)
        #expect(error { mkfifo(host.path("fifo"), 0o600) } == EPERM)
        #expect(error { symlink("/etc/passwd", host.path("absolute")) } == EPERM)
        #expect(error { symlink("../outside", host.path("climbing")) } == EPERM)
        #expect(error { mkdir(file, 0o755) } == EEXIST)
        #expect(error { truncate(host.path("nothing"), 0) } == ENOENT)
        #expect(Files.errorOf { try Files.rename(host.path("nothing"), file) } == ENOENT)
        let tooLong = String(repeating: "n", count: 256)
        #expect(Files.errorOf { try Files.write(host.path(tooLong), "x") } == ENAMETOOLONG)
        #expect(try Files.list(host.mount) == ["file", "folder"])
      }
    }

    /// S13, S22: files are mapped and locked as programs do it.
    @Test func filesAreMappedAndLocked() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        let guest = try fixture.member("guest", of: hub, approvedBy: host)
        try Files.write(host.path("mapped"), [UInt8](repeating: 0x61, count: 300_000))
        let change = """
          import mmap, sys
          with open(sys.argv[1], "r+b") as file, mmap.mmap(file.fileno(), 0) as view:
            view[131071:131075] = b"MMAP"
          """
        let python = try fixture.run("python3", "-c", change, host.path("mapped"))
        if python.ending != .exit(127) { try python.succeeded() }
        try fixture.waitForEquality(host.mount, guest.mount)
        if python.ending == .exit(0) {
          #expect(
            try Files.read(guest.path("mapped"), at: 131_071, count: 4) == Array("MMAP".utf8))
        }
        let one = OwnedDescriptor(try Files.open(host.path("mapped"), O_RDWR))
        let other = OwnedDescriptor(try Files.open(host.path("mapped"), O_RDWR))
        #expect(flock(one.raw, LOCK_EX | LOCK_NB) == 0)
        #expect(flock(other.raw, LOCK_EX | LOCK_NB) == -1 && errno == EWOULDBLOCK)
      }
    }

    /// S2, S16, S17: a directory that several members have.
    @Test func aSharedDirectoryStaysWhileSomebodyHasIt() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        let guest = try fixture.member("guest", of: hub, approvedBy: host)
        try Files.makeFolder(host.path("both"))
        try Files.chmod(host.path("both"), 0o1777)
        try fixture.waitForOpen(guest.path("both"))
        try Files.write(guest.path("both/guest's"), "g")
        try fixture.waitFor(host.path("both/guest's"), "g")
        #expect(Files.errorOf { try Files.removeFolder(host.path("both")) } == ENOTEMPTY)
        #expect(Files.errorOf { try Files.rename(host.path("both"), host.path("x")) } == EPERM)
        try Files.write(host.path("both/host's"), "h")
        try fixture.waitFor(guest.path("both/host's"), "h")
        try Files.unlink(host.path("both/host's"))
        #expect(try host.leave() == .exit(0))
        // The hub is gone with the host; what the guest has stays in its own folder.
        #expect(try Files.text(guest.own + "/both/guest's") == "g")
        try host.start(["--host", "--listen", hub])
        try host.waits(for: .live)
        try guest.waits(for: .live)
        try fixture.waitFor(host.path("both/guest's"), "g")
        try Files.unlink(guest.path("both/guest's"))
        try fixture.waitForAbsence(host.path("both/guest's"))
        try fixture.waitForEquality(host.mount, guest.mount)
      }
    }

    /// S31: `df` tells of the own folder's file system.
    @Test func dfTellsOfTheOwnFolder() throws {
      try withFixture { fixture in
        let (host, _) = try fixture.host()
        let sizes = try fixture.shell(
          "stat -f -c '%b %S' \"$1\"; stat -f -c '%b %S' \"$2\"", host.mount, host.own
        ).succeeded().text.split(separator: "\n")
        #expect(sizes.count == 2 && sizes[0] == sizes[1])
        try fixture.run("df", host.mount).succeeded()
      }
    }
  }
}
