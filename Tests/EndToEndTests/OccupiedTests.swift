import CLinux
import Control
import Glibc
import System
import Testing

extension EndToEnd {
  /// What lies in the own folder and cannot be shared.
  @Suite struct Occupied {
    /// S80, S81, S82: it shows to its owner as it is, is taken, can be removed, and costs the group
    /// nothing.
    @Test func whatCannotBeSharedIsTaken() throws {
      try withFixture { fixture in
        let own = try fixture.newFolder("own")
        try Self.fill(own, fixture)
        let (host, hub) = try fixture.host()
        let guest = try fixture.member("guest", of: hub, approvedBy: host, own: own)
        try fixture.waitFor(host.path("plain/file"), "plain")
        try eventually("six names are taken") { try guest.status().notShared == 6 }
        #expect(try Files.list(host.mount) == ["deep", "plain"])
        for name in ["deep/pipe", "docs", "null", "pipe", "socket", "usb"] {
          let (here, there) = (try Self.stat(own + "/" + name), try Self.stat(guest.path(name)))
          #expect(here.format == there.format && here.permissions == there.permissions, "\(name)")
          #expect(here.mtime == there.mtime && here.rdev == there.rdev, "\(name)")
        }
        #expect(try fixture.run("readlink", guest.path("docs")).text == "/etc\n")
        for (name, reason) in [
          ("pipe", "it is a pipe"), ("socket", "it is a socket"), ("null", "it is a device"),
          ("docs", "the symlink leads out of the share"),
          ("usb", "another file system is mounted there"),
          ("usb/inside", "another file system is mounted there"),
        ] {
          #expect(
            try fixture.control(guest, "why", name).text.contains("is not shared: \(reason)"))
        }
        // All that wants the name hears that it is taken.
        for name in ["pipe", "socket", "null", "docs", "usb"] {
          let path = guest.path(name)
          #expect(Files.errorOf { try Files.makeFolder(path) } == EEXIST, "\(name)")
          #expect(Files.errorOf { try Files.symlink(path, to: "x") } == EEXIST, "\(name)")
          #expect(
            Files.errorOf { _ = try Files.open(path, O_WRONLY | O_CREAT | O_EXCL) } == EEXIST)
          let renamed = Files.errorOf { try Files.rename(guest.path("plain/file"), path) }
          // The kernel knows a folder before it asks.
          #expect(renamed == (name == "usb" ? EISDIR : EEXIST), "\(name)")
        }
        #expect(
          Files.errorOf { _ = try Files.open(guest.path("usb/new"), O_WRONLY | O_CREAT) } == EXDEV)
        #expect(Files.errorOf { _ = try Files.open(guest.path("socket"), O_RDONLY) } == ENXIO)
        // The group goes on.
        try Files.write(guest.path("plain/other"), "other")
        try fixture.waitFor(host.path("plain/other"), "other")
        // What can be removed goes; what cannot says what is in the way.
        let removed = try fixture.shell(
          #"cd "$1" && rm -rf pipe socket null docs deep usb"#, guest.mount)
        #expect(removed.ending != .exit(0))
        #expect(
          removed.errorLines.count == 1 && removed.errors.contains("usb"), "\(removed.errors)")
        #expect(try Files.list(own) == [".fsharefs-staging", "plain", "usb"])
        MountPoint.detach(own + "/usb")
        try fixture.waitFor(host.path("usb"))
        try eventually("nothing is taken any more") { try guest.status().notShared == 0 }
        try fixture.waitForEquality(guest.mount, host.mount)
        #expect(try Files.list("/etc").count > 1)
      }
    }

    /// S81: others' entries show in its place, and nothing of one's own comes below them.
    @Test func othersShowWhereSomethingIsTaken() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        let guest = try fixture.member("guest", of: hub, approvedBy: host)
        let outside = try fixture.newFolder("outside")
        try Files.symlink(guest.own + "/docs", to: outside)
        try eventually("it is taken") { try guest.status().notShared == 1 }
        try Files.makeFolder(host.path("docs"))
        try Files.chmod(host.path("docs"), 0o777)
        try Files.write(host.path("docs/theirs"), "theirs")
        try fixture.waitFor(guest.path("docs/theirs"), "theirs")
        try Files.write(fixture.folder + "/mine", "mine")
        let copied = try fixture.run("cp", fixture.folder + "/mine", guest.path("docs/"))
        #expect(copied.ending == .exit(1) && copied.errors.contains("Not a directory"))
        #expect(Files.errorOf { try Files.makeFolder(guest.path("docs/new")) } == ENOTDIR)
        try Files.write(guest.path("mine"), "mine")
        #expect(
          Files.errorOf { try Files.rename(guest.path("mine"), guest.path("docs/mine")) } == ENOTDIR
        )
        let why = try fixture.control(guest, "why", "docs").text
        #expect(why.contains("is not shared: the symlink leads out of the share"))
        #expect(why.contains("docs is a folder, of "))
        try fixture.waitFor(host.path("mine"), "mine")
        try fixture.waitForEquality(guest.mount, host.mount)
        #expect(try Files.list(outside).isEmpty)
        // Put there while a file is on its way.
        try Files.makeFolder(host.path("late"))
        try Files.chmod(host.path("late"), 0o777)
        try eventually("everybody may write there") {
          (try? Self.stat(guest.path("late")).permissions) == 0o777
        }
        let file = try Files.open(guest.path("late/file"), O_WRONLY | O_CREAT)
        try File.writeAll(Array("x".utf8), to: file, "late/file")
        try Files.symlink(guest.own + "/late", to: outside)
        #expect(Files.errorOf { try Files.close(file, "late/file") } == ENOTDIR)
        #expect(try Files.list(outside).isEmpty)
        // What the others had goes, and one's own shows again.
        try Files.removeTree(host.path("docs"))
        try eventually("the link shows") { try Self.stat(guest.path("docs")).isSymlink }
        try Files.write(guest.path("last"), "last")
        try fixture.waitFor(host.path("last"), "last")
      }
    }

    /// S86: the longest file is shared; nothing makes it longer through the mount.
    @Test func noFileBecomesLongerThanCanBeShared() throws {
      try withFixture { fixture in
        // Of a file system that takes longer ones.
        let disk = fixture.newPath("disk")
        try Self.mountMemory(disk, fixture)
        let (host, hub) = try fixture.host(own: disk + "/own")
        let guest = try fixture.member("guest", of: hub, approvedBy: host)
        let longest = 1 << 62
        try Files.write(host.path("file"), "x")
        #expect(Files.errorOf { try Files.truncate(host.path("file"), longest + 1) } == EFBIG)
        try Files.truncate(host.path("file"), longest)
        let file = OwnedDescriptor(try Files.open(host.path("file"), O_RDWR))
        var byte: UInt8 = 1
        #expect(pwrite(file.raw, &byte, 1, longest) == -1 && errno == EFBIG)
        #expect(fallocate(file.raw, 0, longest, 1) == -1 && errno == EFBIG)
        #expect(try Self.stat(disk + "/own/file").size == Int64(longest))
        try eventually("the guest sees it") {
          (try? Self.stat(guest.path("file")).size) == Int64(longest)
        }
        try Files.unlink(host.path("file"))
      }
    }

    /// S83: a file whose place cannot be reached is not shared, and its `close` says so; nothing
    /// keeps a start from happening.
    @Test func whatCannotBePlacedIsTakenBack() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        let guest = try fixture.member("guest", of: hub, approvedBy: host)
        for name in ["usb", "fixed", "gone"] { try Files.makeFolder(guest.path(name)) }
        try fixture.waitFor(host.path("gone"))
        let files = try ["usb", "fixed", "gone"].map { name in
          let file = try Files.open(guest.path("\(name)/file"), O_WRONLY | O_CREAT)
          try File.writeAll(Array(name.utf8), to: file, name)
          return file
        }
        try Self.mountMemory(guest.own + "/usb", fixture)
        let fixed = guest.own + "/fixed"
        // By no program: one that is started closes what is open here, and so shares it.
        try Self.setImmutable(fixed, true)
        fixture.atEnd { try? Self.setImmutable(fixed, false) }
        try Files.removeFolder(guest.own + "/gone")
        try Files.write(guest.own + "/gone", "a file now")
        #expect(Files.errorOf { try Files.close(files[0], "usb") } == EXDEV)
        #expect(Files.errorOf { try Files.close(files[1], "fixed") } == EPERM)
        #expect(Files.errorOf { try Files.close(files[2], "gone") } == ENOTDIR)
        try fixture.waitFor(host.path("gone"), "a file now")
        try fixture.waitForAbsence(host.path("usb"))
        try fixture.waitForAbsence(host.path("fixed/file"))
        #expect(Files.errorOf { try Files.write(guest.path("fixed/other"), "x") } == EPERM)
        try Files.write(guest.path("last"), "last")
        try fixture.waitFor(host.path("last"), "last")
        #expect(!Files.exists(host.path("fixed/other")))
        #expect(try guest.leave() == .exit(0))
        try guest.start(["--nowait", hub])
        try guest.waits(for: .live)
        try fixture.waitFor(host.path("last"), "last")
        try fixture.waitForEquality(guest.path("fixed"), host.path("fixed"))
      }
    }

    /// S83: what a crash left and cannot be placed is kept, said, and placed once it can be.
    @Test func whatACrashLeftIsKeptUntilItCanBePlaced() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        let guest = try fixture.member(
          "guest", of: hub, approvedBy: host, ["-o", "ack_timeout=60"])
        for name in ["usb", "fixed", "gone", "fine"] { try Files.makeFolder(guest.path(name)) }
        try fixture.waitFor(host.path("fine"))
        #expect(try guest.leave() == .exit(0))
        // As a crash behind the end of `cp` leaves them.
        let staging = guest.own + "/.fsharefs-staging"
        for (number, name) in ["usb", "fixed", "gone", "fine"].enumerated() {
          try Files.write("\(staging)/abc\(number)", name)
          try Files.write("\(staging)/abc\(number).target", "\(name)/file")
        }
        try Files.write(staging + "/dead", "incomplete")
        try Files.write(staging + "/badc.target", "of nothing")
        try Files.write(staging + "/notes.txt", "somebody's")
        try Files.write(staging + "/feed", "its note is a pipe")
        try fixture.run("mkfifo", staging + "/feed.target").succeeded()
        try Files.unlink(staging + "/lock")
        try Files.makeFolder(staging + "/lock")
        try Self.mountMemory(guest.own + "/usb", fixture)
        let fixed = guest.own + "/fixed"
        try Self.setImmutable(fixed, true)
        fixture.atEnd { try? Self.setImmutable(fixed, false) }
        try Files.removeFolder(guest.own + "/gone")
        try Files.write(guest.own + "/gone", "a file now")
        try guest.start(["--nowait", hub])
        try guest.waits(for: .live)
        try fixture.waitFor(host.path("fine/file"), "fine")
        #expect(try guest.status().setAside == 4)
        for name in ["usb", "fixed", "gone"] {
          let why = try fixture.control(guest, "why", "\(name)/file")
          #expect(why.text.contains("not shared"), "\(name): \(why.text)\(why.errors)")
          #expect(try Files.text(guest.log).contains("\(name)/file"))
        }
        let kept = try Files.list(staging)
        #expect(!kept.contains("dead") && !kept.contains("badc.target"))
        #expect(kept.contains("notes.txt"))
        #expect(try guest.leave() == .exit(0))
        MountPoint.detach(guest.own + "/usb")
        try Self.setImmutable(fixed, false)
        try Files.unlink(guest.own + "/gone")
        try guest.start(["--nowait", hub])
        try guest.waits(for: .live)
        for name in ["usb", "fixed", "gone"] {
          try fixture.waitFor(host.path("\(name)/file"), name)
        }
        #expect(try guest.status().setAside == 1)
        #expect(try Files.text(staging + "/feed") == "its note is a pipe")
      }
    }

    /// S84: what could not be looked at is looked at again.
    @Test func whatWasMissedForLackOfDescriptorsIsFound() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        let guest = try fixture.member("guest", of: hub, approvedBy: host)
        try Files.makeFolder(guest.own + "/folder")
        try Files.write(guest.own + "/folder/changes", "1")
        try Files.write(guest.own + "/folder/goes", "1")
        try fixture.waitFor(host.path("folder/goes"), "1")
        try Self.limitDescriptors(of: guest, "5:", fixture)
        try Samples.folder(guest.own + "/dropped", seed: 5)
        try Files.write(guest.own + "/folder/changes", "22")
        try Files.unlink(guest.own + "/folder/goes")
        try fixture.run("mkfifo", guest.own + "/folder/pipe").succeeded()
        try Files.rename(guest.own + "/folder", guest.own + "/moved")
        try eventually("it says that something could not be looked at") {
          try Files.text(guest.log).contains("could not be looked at")
        }
        try Self.limitDescriptors(of: guest, "1024:", fixture)
        try fixture.waitForEquality(guest.own + "/dropped", host.path("dropped"))
        try fixture.waitFor(host.path("moved/changes"), "22")
        try fixture.waitForAbsence(host.path("moved/goes"))
        try fixture.waitForAbsence(host.path("folder"))
        try eventually("the pipe is taken") { try guest.status().notShared == 1 }
      }
    }

    /// S85: what this process may not read is not shared, and is once it may.
    @Test func whatCannotBeReadIsNotShared() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        let guest = try Daemon("guest", fixture)
        try File.makeDirectories(guest.own, mode: 0o755)
        for name in ["closed", "closed/inner", "open"] {
          try Files.makeFolder(guest.own + "/" + name)
        }
        for name in ["closed/inner/file", "open/file", "secret"] {
          try Files.write(guest.own + "/" + name, name)
        }
        try Files.chmod(guest.own + "/closed", 0)
        try Files.chmod(guest.own + "/secret", 0)
        // Root without the right to pass over modes.
        try guest.start(
          ["--nowait", hub],
          through: ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"])
        try guest.waits(for: .waiting)
        let id = try guest.publicID()
        try eventually("the host has heard") { try host.members().contains { $0.publicID == id } }
        try fixture.control(host, "approve", "\(id)", "--yes").succeeded()
        try fixture.waitFor(host.path("open/file"), "open/file")
        #expect(try Files.list(host.mount) == ["open"])
        #expect(try Files.list(guest.mount) == ["closed", "open", "secret"])
        for name in ["closed", "secret"] {
          #expect(
            try fixture.control(guest, "why", name).text.contains(
              "not shared: this fsharefs cannot read it"))
          #expect(try Files.text(guest.log).contains("path=\(name)"))
        }
        #expect(Files.errorOf { _ = try Files.list(guest.path("closed")) } == EACCES)
        #expect(Files.errorOf { _ = try Files.read(guest.path("secret")) } == EACCES)
        try Files.chmod(guest.own + "/closed", 0o755)
        try fixture.waitFor(host.path("closed/inner/file"), "closed/inner/file")
        // Through the mount too.
        try Files.chmod(guest.path("secret"), 0o600)
        try fixture.waitFor(host.path("secret"), "secret")
        try Files.chmod(guest.path("open/file"), 0)
        try fixture.waitForAbsence(host.path("open/file"))
        try Files.chmod(guest.own + "/closed/inner", 0o300)
        try fixture.waitForAbsence(host.path("closed/inner"))
        #expect(try guest.status().notShared == 2)
        try Files.chmod(guest.own + "/closed/inner", 0o700)
        try Files.chmod(guest.own + "/open/file", 0o600)
        try fixture.waitForEquality(guest.own, host.mount, leavingOut: [".fsharefs-staging"])
      }
    }

    /// S23: where no conflict name fits, `mkdir` returns, and the daemon ends when it is asked to.
    @Test func aConflictAtTheLongestPathEnds() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        let guest = try fixture.member("guest", of: hub, approvedBy: host)
        let there = try Self.makeLongest(host.mount)
        let file = try retryingOnInterrupt("openat") {
          openat(there.raw, "wanted", O_WRONLY | O_CREAT | O_CLOEXEC, 0o644)
        }
        try Files.close(file, "wanted")
        try guest.lists(17)
        let here = try Self.makeLongest(guest.own)
        try retryingOnInterrupt("mkdirat") { mkdirat(here.raw, "wanted", 0o755) }
        try eventually("it is not shared") { try guest.status().notShared == 1 }
        try Files.makeFolder(guest.path("next"))
        try fixture.waitFor(host.path("next"))
        #expect(try guest.leave() == .exit(0))
      }
    }

    /// A folder whose path leaves 15 bytes for what is in it: too few for a conflict name.
    private static func makeLongest(_ root: String) throws(SystemError) -> OwnedDescriptor {
      var folder = OwnedDescriptor(try Files.open(root, O_RDONLY | O_DIRECTORY))
      for _ in 0..<16 {
        let parent = folder.raw
        let name = String(repeating: "d", count: 254)
        try retryingOnInterrupt("mkdirat") { mkdirat(parent, name, 0o755) }
        let opened = try retryingOnInterrupt("openat") {
          openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        }
        folder = OwnedDescriptor(opened)
      }
      return folder
    }

    private static func fill(_ own: String, _ fixture: Fixture) throws {
      try Files.makeFolder(own + "/plain")
      try Files.write(own + "/plain/file", "plain")
      try Files.makeFolder(own + "/deep")
      try fixture.run("mkfifo", "-m", "640", own + "/pipe", own + "/deep/pipe").succeeded()
      try retryingOnInterrupt("mknod") { mknod(own + "/socket", S_IFSOCK | 0o600, 0) }
      try retryingOnInterrupt("mknod") { mknod(own + "/null", S_IFCHR | 0o644, 259) }
      try Files.symlink(own + "/docs", to: "/etc")
      try mountMemory(own + "/usb", fixture)
      try Files.write(own + "/usb/inside", "inside")
    }

    private static func mountMemory(_ path: String, _ fixture: Fixture) throws {
      try File.makeDirectories(path, mode: 0o755)
      try retryingOnInterrupt("mount on \(path)") { mount("tmpfs", path, "tmpfs", 0, nil) }
      fixture.atEnd { MountPoint.detach(path) }
    }

    /// As of chattr(1).
    private static func setImmutable(_ path: String, _ isOn: Bool) throws(SystemError) {
      let file = OwnedDescriptor(try Files.open(path, O_RDONLY))
      var flags = 0
      try retryingOnInterrupt("FS_IOC_GETFLAGS") { ioctl(file.raw, 0x8008_6601, &flags) }
      flags = isOn ? flags | 0x10 : flags & ~0x10
      try retryingOnInterrupt("FS_IOC_SETFLAGS") { ioctl(file.raw, 0x4008_6602, &flags) }
    }

    private static func limitDescriptors(
      of daemon: Daemon, _ limit: String, _ fixture: Fixture
    ) throws {
      try fixture.run("prlimit", "--pid", "\(daemon.process.pid)", "--nofile=\(limit)").succeeded()
    }

    private static func stat(_ path: String) throws(SystemError) -> Stat {
      try Stat(at: AT_FDCWD, name: Array(path.utf8))
    }
  }
}
