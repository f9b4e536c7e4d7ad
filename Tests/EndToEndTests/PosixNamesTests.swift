import CLinux
import Glibc
import System
import Testing

extension EndToEnd {
  /// Names of own entries: renaming, removing, listing, beside a plain folder.
  @Suite struct PosixNames {
    /// S15, S16, S42: each kind of rename.
    @Test func renamesAgree() throws {
      try withFixture { fixture in
        let (host, _) = try fixture.host()
        try fixture.expectAgreement(host.mount, "rename") { trace in
          func move(_ old: String, _ new: String, _ flags: UInt32 = 0) {
            trace.call("\(old) to \(new) \(flags)") {
              clinux_renameat2(AT_FDCWD, trace.path(old), AT_FDCWD, trace.path(new), flags)
            }
          }
          for name in ["a", "b"] { try trace.write(name, name) }
          move("a", "b", clinux_rename_noreplace)
          move("a", "c", clinux_rename_noreplace)
          move("a", "missing", clinux_rename_exchange)
          for folder in ["empty", "full", "third", "t", "t/1", "t/1/2", "q"] {
            try Files.makeFolder(trace.path(folder))
          }
          try trace.write("full/x", "x")
          try trace.write("t/1/2/file", "deep")
          for (old, new) in [
            ("third", "empty"), ("empty", "full"), ("empty", "b"), ("b", "empty"),
            ("full", "empty"),
            ("empty", "empty/sub"), ("empty", "empty"), ("b", "b"), ("empty/x", "empty"),
            ("b/", "z"), ("b", "z/"), ("empty/", "z/"), ("t", "q/t"), ("q/t/1/2/file", "file"),
            ("missing", "z"), ("missing", "b"), ("b", "q/none/b"), ("b", "c/b"),
          ] { move(old, new) }
          trace.noteNames()
          trace.noteNames("q/t/1/2")
          trace.noteContent("file")
          symlink("b", trace.path("link"))
          move("link", "moved link")
          move("c", "moved link")
          trace.noteContent("moved link")
        }
        for flags in [clinux_rename_exchange, 4] {
          let code = clinux_renameat2(
            AT_FDCWD, host.path("rename/b"), AT_FDCWD, host.path("rename/file"), flags)
          #expect(code == -1 && errno == EINVAL)
        }
      }
    }

    /// S15, S45: files that are open while they, or what they lie in, get other names.
    @Test func openFilesFollowTheirNames() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        let guest = try fixture.member("guest", of: hub, approvedBy: host)
        try fixture.expectAgreement(host.mount, "open") { trace in
          let new = trace.open("new", O_CREAT | O_RDWR)
          write(new, "1", 1)
          try Files.rename(trace.path("new"), trace.path("renamed"))
          write(new, "2", 1)
          close(new)
          trace.noteContent("renamed")
          let over = trace.open("over", O_CREAT | O_RDWR)
          write(over, "new", 3)
          try Files.rename(trace.path("over"), trace.path("renamed"))
          trace.noteContent("renamed")
          write(over, "er", 2)
          close(over)
          trace.noteContent("renamed")
          try Files.makeFolder(trace.path("folder"))
          let inside = trace.open("folder/inside", O_CREAT | O_RDWR)
          write(inside, "staged", 6)
          try Files.rename(trace.path("folder"), trace.path("moved"))
          trace.call("rmdir with a new file in it") { rmdir(trace.path("moved")) }
          write(inside, "!", 1)
          close(inside)
          trace.noteContent("moved/inside")
          let folder = trace.open("moved", O_RDONLY | O_DIRECTORY)
          try Files.rename(trace.path("moved"), trace.path("again"))
          let below = openat(folder, "below", O_CREAT | O_RDWR, 0o644)
          trace.call("write below") { write(below, "x", 1) }
          close(below)
          close(folder)
          trace.noteNames("again")
        }
        try fixture.waitForEquality(host.mount, guest.mount)
      }
    }

    /// S45: a file goes on for whoever has it open, whatever lies at its path by now.
    @Test(arguments: ["staged", "synchronised", "closed"]) func removedFilesGoOn(_ kind: String)
      throws
    {
      try withFixture { fixture in
        let (host, _) = try fixture.host()
        try fixture.expectAgreement(host.mount, kind) { trace in
          let file = trace.open("file", O_CREAT | O_RDWR, mode: 0o640)
          write(file, "hello", 5)
          if kind == "synchronised" { fsync(file) }
          if kind == "closed" { close(dup(file)) }
          let second = trace.open("file", O_RDWR)
          trace.call("unlink") { unlink(trace.path("file")) }
          trace.noteStat("removed", file)
          try trace.write("file", "another one")
          trace.call("write") { pwrite(file, "HE", 2, 0) }
          trace.noteBytes("both see it", second, at: 0, count: 10)
          trace.call("cut") { ftruncate(second, 2) }
          trace.call("fchmod") { fchmod(file, 0o600) }
          let times = [timespec(tv_sec: 5, tv_nsec: 6), timespec(tv_sec: 7, tv_nsec: 8)]
          trace.call("futimens") { futimens(file, times) }
          trace.note("mtime", (try? Stat(descriptor: second).mtime) ?? timespec())
          trace.noteStat("changed", second)
          trace.call("fsync") { fsync(file) }
          let again = open("/proc/self/fd/\(file)", O_RDWR)
          trace.noteBytes("opened again", again, at: 0, count: 10)
          trace.call("write") { pwrite(again, "x", 1, 5) }
          for one in [file, second, again] { trace.call("close") { close(one) } }
          trace.noteContent("file")
          trace.note("mode", (try? Stat(path: trace.path("file")).permissions) ?? 0)
          // The same by rename.
          let old = trace.open("file", O_RDWR)
          try trace.write("new", "new")
          try Files.rename(trace.path("new"), trace.path("file"))
          trace.noteStat("replaced", old)
          trace.call("write") { pwrite(old, "X", 1, 0) }
          trace.noteBytes("replaced", old, at: 0, count: 20)
          close(old)
          trace.noteContent("file")
        }
        try fixture.expectAgreement(host.mount, "folder") { trace in
          try Files.makeFolder(trace.path("folder"))
          let folder = trace.open("folder", O_RDONLY | O_DIRECTORY)
          trace.call("unlink a folder") { unlink(trace.path("folder")) }
          trace.call("rmdir") { rmdir(trace.path("folder")) }
          trace.note("links", (try? Stat(descriptor: folder).nlink) ?? 9)
          trace.call("create in it") { openat(folder, "x", O_CREAT | O_RDWR, 0o644) }
          trace.call("mkdir in it") { mkdirat(folder, "x", 0o755) }
          trace.noteNames()
          close(folder)
        }
      }
    }

    /// S58, S59: what was shared in place stays as it is, also for whoever has it open when it is
    /// taken back.
    @Test func whatWasSharedInPlaceIsNotChanged() throws {
      try withFixture { fixture in
        let (host, _) = try fixture.host()
        let original = try fixture.newFolder("desk") + "/report"
        try Files.write(original, "as it is")
        try Files.chmod(original, 0o640)
        try fixture.control(host, "share", original).succeeded()
        let before = try Stat(path: original)
        let file = OwnedDescriptor(try Files.open(host.path("report"), O_RDONLY))
        for isListed in [true, false] {
          if !isListed { try Files.unlink(host.path("report")) }
          let times = [timespec(tv_sec: 1, tv_nsec: 1), timespec(tv_sec: 1, tv_nsec: 1)]
          #expect(fchmod(file.raw, 0o777) == -1 && errno == EPERM)
          #expect(futimens(file.raw, times) == -1 && errno == EPERM)
          #expect(fsetxattr(file.raw, "user.x", "1", 1, 0) == -1 && errno == EPERM)
          let code = Files.errorOf { _ = try Files.open("/proc/self/fd/\(file.raw)", O_RDWR) }
          #expect([EACCES, EPERM].contains(code))
          var bytes = [UInt8](repeating: 0, count: 8)
          #expect(pread(file.raw, &bytes, 8, 0) == 8 && bytes == Array("as it is".utf8))
        }
        let after = try Stat(path: original)
        #expect(after.mode == before.mode && after.ctime == before.ctime)
      }
    }

    /// S47: names of all bytes; paths as long as Linux takes them, and beyond.
    @Test func namesAgree() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        let guest = try fixture.member("guest", of: hub, approvedBy: host)
        try fixture.expectAgreement(host.mount, "names") { trace in
          let names =
            Samples.oddNames + [
              [0x20], [0x5c], Array("...".utf8), [1], Array("a:b*?\"<>|".utf8),
              Array("cafe\u{301}".utf8),
              Array("caf\u{e9}".utf8), [UInt8](repeating: 0x78, count: 256),
              Array(".fsharefs-staging".utf8),
            ]
          for name in names {
            let path = Tree.c(Array(trace.folder.utf8) + [0x2f] + name)
            let file = open(path, O_CREAT | O_EXCL | O_RDWR, 0o644)
            trace.note("\(name)", file < 0 ? "errno \(errno)" : "ok")
            if file >= 0 { close(file) }
          }
          trace.note("all", try Files.names(in: trace.folder))
          trace.call("too long a path") {
            mkdir(trace.path(String(repeating: "y/", count: 3_000)), 0o755)
          }
          trace.call("an empty target") { symlink("", trace.path("empty")) }
          trace.call("a long target") {
            symlink(String(repeating: "x", count: 4_095), trace.path("long"))
          }
          trace.call("too long a target") {
            symlink(String(repeating: "x", count: 4_096), trace.path("longer"))
          }
        }
        try fixture.waitForEquality(host.mount, guest.mount)
      }
    }

    /// S47: by openat there are longer paths than a call takes; not in a share, and nobody hangs.
    @Test func deepTreesEndWherePathsDo() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        let guest = try fixture.member("guest", of: hub, approvedBy: host)
        let part = String(repeating: "d", count: 100)
        var folder = try Files.open(host.mount, O_RDONLY | O_DIRECTORY)
        var depth = 0
        while mkdirat(folder, part, 0o755) == 0 {
          let next = openat(folder, part, O_RDONLY | O_DIRECTORY)
          try #require(next >= 0)
          close(folder)
          folder = next
          depth += 1
          try #require(depth < 100)
        }
        #expect(errno == ENAMETOOLONG && depth == 40)
        #expect(openat(folder, part, O_CREAT | O_RDWR, 0o644) == -1 && errno == ENAMETOOLONG)
        let last = openat(folder, "last", O_CREAT | O_RDWR, 0o644)
        #expect(last >= 0 && close(last) == 0)
        close(folder)
        // Moved below another directory the tree would be too long.
        try Files.makeFolder(host.path(part + "2"))
        #expect(
          Files.errorOf { try Files.rename(host.path(part), host.path("\(part)2/\(part)")) }
            == ENAMETOOLONG)
        try Files.rename(host.path(part), host.path("short"))
        try Files.rename(host.path("short"), host.path("\(part)2/short"))
        try fixture.waitForSameList(host, guest)
        let found = try fixture.shell("cd \"$1\" && find . -name last | wc -c", guest.mount)
          .succeeded()
        let path = "./\(part)2/short/" + String(repeating: part + "/", count: 39) + "last\n"
        #expect(found.text == "\(path.utf8.count)\n")
        try fixture.shell("rm -rf \"$1\"/*", host.mount).succeeded()
        try fixture.waitForEquality(host.mount, guest.mount)
      }
    }
  }
}
