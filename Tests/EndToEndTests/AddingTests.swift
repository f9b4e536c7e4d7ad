import CLinux
import Control
import Glibc
import System
import Testing

extension EndToEnd {
  /// Who may put something into a directory that others have.
  @Suite struct Adding {
    private typealias Deed = (name: String, call: (String) throws -> Void)

    /// Every way to put something at a path; `source`: an own file and an own folder to move there.
    private static func deeds(_ guest: Daemon) -> [Deed] {
      [
        ("create", { try Files.write($0, "x") }),
        ("create anew", { try Files.write($0, "x", flags: O_CREAT | O_EXCL) }),
        ("mkdir", { try Files.makeFolder($0) }),
        ("symlink", { try Files.symlink($0, to: "x") }),
        ("rename", { try Files.rename(guest.path("file"), $0) }),
        ("rename of a folder", { try Files.rename(guest.path("folder"), $0) }),
      ]
    }

    /// S89: whoever has a directory himself may put something into it, others where its mode lets
    /// everybody write; the top is open to all.
    @Test func aDirectorysModeSaysWhoMayAdd() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        let guest = try fixture.member("guest", of: hub, approvedBy: host)
        for (name, mode) in [("closed", 0o775), ("open", 0o777), ("sticky", 0o1777)] {
          try Files.makeFolder(host.path(name))
          try Files.chmod(host.path(name), UInt32(mode))
        }
        try Files.write(guest.path("file"), "x")
        try Files.makeFolder(guest.path("folder"))
        try fixture.waitForOpen(guest.path("sticky"))
        for (name, call) in Self.deeds(guest) {
          #expect(Files.errorOf { try call(guest.path("closed/new")) } == EACCES, "\(name)")
          #expect(Files.exists(guest.own + "/closed") == false, "\(name)")
        }
        #expect(try Stat(path: guest.path("sticky")).permissions == 0o1777)
        for (name, isClosed) in [("closed", true), ("sticky", false)] {
          let why = try fixture.control(guest, "why", name).succeeded().text
          #expect(why.contains("Only its owner puts something into it") == isClosed, "\(why)")
        }
        for (index, (name, call)) in Self.deeds(guest).enumerated() {
          let folder = index % 2 == 0 ? "open" : "sticky"
          #expect(Files.errorOf { try call(guest.path("\(folder)/\(index)")) } == 0, "\(name)")
        }
        try fixture.waitForEquality(guest.mount, host.mount)
        // What is open once may be closed again: what lies there stays whose it is.
        try Files.chmod(host.path("open"), 0o755)
        try eventually("it is closed") {
          try Stat(path: guest.path("open")).permissions == 0o755
        }
        #expect(Files.errorOf { try Files.write(guest.path("open/late"), "x") } == EACCES)
        try Files.write(guest.path("open/0"), "still mine")
        try fixture.waitFor(host.path("open/0"), "still mine")
        // It is the owner's: nobody else changes it.
        let why = try fixture.control(guest, "why", "sticky").succeeded().text
        #expect(why.contains("(member 0)") && !why.contains("your own"), "\(why)")
        let times = [timespec(tv_sec: 1, tv_nsec: 1), timespec(tv_sec: 1, tv_nsec: 1)]
        for path in [guest.path("open"), guest.path("sticky")] {
          #expect(Files.errorOf { try Files.chmod(path, 0o700) } == EPERM)
          #expect(Files.errorOf { try check(utimensat(AT_FDCWD, path, times, 0)) } == EPERM)
          #expect(Files.errorOf { try check(setxattr(path, "user.x", "1", 1, 0)) } == EPERM)
          #expect(listxattr(path, nil, 0) == 0)
        }
        // By hand it merges, as anything does, and counts as having it.
        try Files.makeFolder(guest.own + "/closed")
        try Files.write(guest.own + "/closed/by hand", "x")
        try fixture.waitFor(host.path("closed/by hand"), "x")
        try Files.write(guest.path("closed/now"), "x")
        try fixture.waitFor(host.path("closed/now"), "x")
      }
    }

    /// S91: whoever gives such a directory another mode in the own folder makes it his own; a
    /// restart between makes no difference.
    @Test func aDirectoryThatIsGivenAnotherModeIsOnesOwn() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        let guest = try fixture.member("guest", of: hub, approvedBy: host)
        try Files.makeFolder(host.path("d"))
        try Files.chmod(host.path("d"), 0o1777)
        try fixture.waitForOpen(guest.path("d"))
        try Files.write(guest.path("d/x"), "x")
        try fixture.waitFor(host.path("d/x"), "x")
        #expect(try Stat(path: guest.path("d")).permissions == 0o1777)
        try Files.chmod(guest.own + "/d", 0o751)
        func shows() throws {
          try eventually("the mount shows it") {
            try Stat(path: guest.path("d")).permissions == 0o751
          }
        }
        try shows()
        _ = try guest.leave()
        try guest.start([hub])
        try guest.waits(for: .live)
        try shows()
        try Files.unlink(guest.path("d/x"))
        try fixture.waitForAbsence(host.path("d/x"))
        #expect(Files.exists(guest.own + "/d"))
        #expect(try fixture.control(host, "why", "d").succeeded().text.contains("guest also has"))
      }
    }

    /// S91, S92: a directory that a member has only because something of his lies in it is no
    /// longer his when nothing does; a restart between makes no difference. Then its owner renames
    /// and removes it; before, he is told who.
    @Test func whoHasNothingInADirectoryHasNoPartInIt() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        let guest = try fixture.member("guest", of: hub, approvedBy: host)
        try Files.makeFolder(host.path("d"))
        try Files.makeFolder(host.path("d/sub"))
        for path in ["d", "d/sub"] { try Files.chmod(host.path(path), 0o1777) }
        try fixture.waitForOpen(guest.path("d/sub"))
        func isFree(_ what: String) throws {
          try eventually("\(what): the guest has no part in it") {
            let why = try fixture.control(host, "why", "d").succeeded().text
            return !why.contains("guest") && !Files.exists(guest.own + "/d")
          }
        }
        // A lock file; what could not be told; what is moved away; what was removed by hand.
        try Files.write(guest.path("d/sub/.lock"), "x")
        try Files.unlink(guest.path("d/sub/.lock"))
        try isFree("a lock file")
        try Files.write(guest.path("d/moved"), "x")
        try Files.rename(guest.path("d/moved"), guest.path("away"))
        try isFree("moved away")
        try Files.makeFolder(guest.path("d/sub/own"))
        try Files.removeFolder(guest.path("d/sub/own"))
        try isFree("a folder")
        try Files.write(guest.path("d/sub/by hand"), "x")
        try Files.unlink(guest.own + "/d/sub/by hand")
        try isFree("by hand")
        try Files.write(guest.path("d/sub/kept"), "x")
        try fixture.waitFor(host.path("d/sub/kept"), "x")
        _ = try guest.leave()
        try fixture.waitForAbsence(host.path("d/sub/kept"))
        try guest.start([hub])
        try guest.waits(for: .live)
        try fixture.waitFor(host.path("d/sub/kept"), "x")
        #expect(Files.errorOf { try Files.rename(host.path("d"), host.path("e")) } == EPERM)
        #expect(try fixture.control(host, "why", "d").succeeded().text.contains("guest also has"))
        try eventually("the log says who") {
          try Files.text(host.log).contains("others have something in it of=guest path=d")
        }
        try Files.unlink(guest.path("d/sub/kept"))
        try isFree("after a restart")
        try Files.rename(host.path("d"), host.path("e"))
        #expect(try fixture.shell("rm -r \"$1\"", host.path("e")).ending == .exit(0))
        try fixture.waitForEquality(host.mount, guest.mount)
        #expect(try Files.list(guest.own) == [".fsharefs-staging", "away"])
      }
    }

    /// S93: a reader's sqlite leaves nothing beside the owner's database, and the owner goes on
    /// writing.
    @Test func aReadersDatabaseLeavesNothing() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        let guest = try fixture.member("guest", of: hub, approvedBy: host)
        try Files.makeFolder(host.path("data"))
        let (own, seen) = (host.path("data/db"), guest.path("data/db"))
        func sql(_ words: String...) throws -> Command { try fixture.run(["sqlite3"] + words) }
        try sql(own, "pragma journal_mode=wal; create table t(x); insert into t values(1);")
          .succeeded()
        try fixture.waitFor(seen)
        try fixture.waitForSameList(host, guest)
        for round in 2...3 {
          // In one round it is open at its owner's meanwhile, with both files beside it.
          let held = OwnedDescriptor(try Files.open(own, O_RDONLY))
          _ = try sql("-readonly", seen, "select count(*) from t;")
          _ = try sql(seen, "select count(*) from t;")
          #expect(
            try sql("-readonly", "file:\(seen)?immutable=1", "select count(*) from t;")
              .succeeded().text == "\(round - 1)\n")
          #expect(Files.exists(guest.own + "/data") == false)
          #expect(try Files.list(host.path("data")) == ["db"])
          try sql(own, "insert into t values(\(round)); pragma wal_checkpoint;").succeeded()
          try fixture.waitForSameList(host, guest)
          withExtendedLifetime(held) {}
        }
        #expect(try sql(own, "select count(*) from t;").succeeded().text == "3\n")
        try fixture.waitForEquality(host.mount, guest.mount)
      }
    }
  }
}
