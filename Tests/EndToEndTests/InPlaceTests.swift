import CLinux
import Control
import Glibc
import System
import Testing

extension EndToEnd {
  /// `fsharectl share`: what is shared where it lies.
  @Suite struct InPlace {
    /// S57, S58: shared without a byte copied, read-only through the mount, changed in its own
    /// place.
    @Test func aFolderIsSharedWhereItLies() throws {
      try withFixture { fixture in
        let (host, guest) = try pair(fixture)
        let folder = fixture.newPath("pictures")
        try Samples.folder(folder, seed: 6)
        let said = try fixture.control(guest, "share", folder, "--as", "album").succeeded().text
        #expect(said == "'\(folder)' is shared as 'album'\n")
        try fixture.waitForEquality(folder, host.path("album"))
        try fixture.waitForEquality(folder, guest.path("album"))
        #expect(try Files.list(guest.own) == [".fsharefs-staging"])

        let file = guest.path("album/1 bytes")
        for flags in [O_WRONLY, O_RDWR, O_RDONLY | O_TRUNC] {
          #expect(Files.errorOf { _ = try Files.open(file, flags) } == EACCES)
        }
        #expect(Files.errorOf { try Files.write(guest.path("album/new"), "x") } == EPERM)
        #expect(Files.errorOf { try Files.makeFolder(guest.path("album/new")) } == EPERM)
        #expect(Files.errorOf { try Files.symlink(guest.path("album/new"), to: "x") } == EPERM)
        #expect(Files.errorOf { try Files.unlink(file) } == EPERM)
        #expect(Files.errorOf { try Files.removeFolder(guest.path("album/empty folder")) } == EPERM)
        #expect(Files.errorOf { try Files.rename(file, guest.path("elsewhere")) } == EPERM)
        #expect(Files.errorOf { try Files.chmod(file, 0o777) } == EPERM)
        #expect(Files.errorOf { try Files.setModified(file, 1, 0) } == EPERM)
        #expect(setxattr(file, "user.x", "1", 1, 0) == -1 && errno == EPERM)
        try Files.write(guest.path("mine"), "mine")
        #expect(Files.errorOf { try Files.rename(guest.path("mine"), file) } == EPERM)
        #expect(try Files.text(guest.path("mine")) == "mine")

        try Files.write(folder + "/1 bytes", "changed in its place")
        try Files.makeFolder(folder + "/later")
        try Files.write(folder + "/later/file", "later")
        try Files.removeTree(folder + "/nested/deeper")
        try fixture.waitForEquality(folder, host.path("album"))
        try fixture.waitForEquality(guest.mount, host.mount)
      }
    }

    /// S57, S59: a single file, also when a program saves it by a rename; `rm` and `mv` change what
    /// is listed.
    @Test func aFileIsSharedWhereItLies() throws {
      try withFixture { fixture in
        let (host, guest) = try pair(fixture)
        let folder = try fixture.newFolder("desk")
        try Files.write(folder + "/report", "first")
        try Files.write(folder + "/private", "not shared")
        try fixture.control(guest, "share", folder + "/report").succeeded()
        try fixture.waitFor(host.path("report"), "first")
        try Files.write(folder + "/report.new", "second")
        try Files.rename(folder + "/report.new", folder + "/report")
        try fixture.waitFor(host.path("report"), "second")
        try Files.write(folder + "/report", " third", flags: O_APPEND)
        try fixture.waitFor(host.path("report"), "second third")
        #expect(try Files.list(host.mount) == ["report"])

        try Files.makeFolder(guest.path("docs"))
        try Files.rename(guest.path("report"), guest.path("docs/report.txt"))
        try fixture.waitFor(host.path("docs/report.txt"), "second third")
        try Files.rename(guest.path("docs"), guest.path("papers"))
        try fixture.waitFor(host.path("papers/report.txt"), "second third")
        #expect(try shares(guest, fixture).map(\.name) == ["papers/report.txt"])
        try Files.unlink(guest.path("papers/report.txt"))
        try fixture.waitForAbsence(host.path("papers/report.txt"))
        #expect(try shares(guest, fixture).isEmpty)
        #expect(try Files.text(folder + "/report") == "second third")
        try fixture.waitForEquality(guest.mount, host.mount)
      }
    }

    /// S60: shares are kept over restarts; what is not there is missing, and shared again when it
    /// is back.
    @Test func sharesAreKeptOverRestarts() throws {
      try withFixture { fixture in
        let (host, guest) = try pair(fixture)
        let folder = try fixture.newFolder("music")
        try Files.write(folder + "/song", "la")
        try Files.write(folder + ".txt", "text")
        try fixture.control(guest, "share", folder, "--as", "music").succeeded()
        try fixture.control(guest, "share", folder + ".txt", "--as", "notes/music.txt").succeeded()
        try fixture.waitFor(host.path("music/song"), "la")
        try guest.crash()
        try guest.start(["--nowait"])
        try guest.waits(for: .live)
        try fixture.waitForSameList(host, guest)
        try fixture.waitForEquality(folder, host.path("music"))

        #expect(try guest.leave() == .exit(0))
        try Files.rename(folder, folder + " away")
        try guest.start(["--nowait"])
        try guest.waits(for: .live)
        try fixture.waitFor(host.path("notes/music.txt"), "text")
        #expect(!Files.exists(host.path("music")))
        #expect(try shares(guest, fixture).map(\.state) == [.missing, .shared])
        try Files.rename(folder + " away", folder)
        try fixture.waitFor(host.path("music/song"), "la")
        // While it runs, too.
        try Files.rename(folder, folder + " away")
        try fixture.waitForAbsence(host.path("music"))
        try Files.rename(folder + " away", folder)
        try fixture.waitFor(host.path("music/song"), "la")
        try Files.write(folder + "/more", "more")
        try fixture.waitFor(host.path("music/more"), "more")

        let said = try fixture.control(guest, "unshare", folder).succeeded().text
        #expect(said == "'\(folder)' is no longer shared; it lies where it was\n")
        try fixture.waitForAbsence(host.path("music"))
        try fixture.control(guest, "unshare", "notes/music.txt").succeeded()
        #expect(
          try fixture.control(guest, "shares").succeeded().text == "nothing is shared in place\n")
        #expect(try Files.list(folder) == ["more", "song"])
        try fixture.waitForEquality(guest.mount, host.mount)
      }
    }

    /// S57: what cannot be shared in place is refused with the reason, and nothing is shared.
    @Test func whatCannotBeSharedIsRefused() throws {
      try withFixture { fixture in
        let (host, guest) = try pair(fixture)
        let folder = try fixture.newFolder("folder")
        try Files.makeFolder(folder + "/below")
        try Files.write(folder + "/file", "x")
        try Files.makeFolder(guest.own + "/own")
        let link = fixture.newPath("link")
        try Files.symlink(link, to: guest.own)
        try Files.write(host.path("theirs"), "x")
        try Files.write(guest.path("mine"), "x")
        try fixture.waitFor(guest.path("theirs"))
        try fixture.run("mkfifo", folder + "/pipe").succeeded()
        try fixture.control(guest, "share", folder, "--as", "shared").succeeded()
        let other = try fixture.newFolder("other")
        for (words, reason) in [
          ([folder], "is shared already, as 'shared'"),
          ([folder + "/below"], "neither may contain the other"),
          ([fixture.folder], "may not contain each other"),
          ([guest.own + "/own"], "may not contain each other"),
          ([link], "may not contain each other"), ([guest.mount], "may not contain each other"),
          ([guest.state], "may not contain each other"),
          ([other, "--as", "theirs"], "of another member's at 'theirs'"),
          ([other, "--as", "mine"], "something at 'mine'"),
          ([other, "--as", "mine/x"], "'mine' is not a folder"),
          ([other, "--as", "shared/x"], "at 'shared/x'"), ([other, "--as", "a/../b"], "no path"),
          ([other, "--as", "/"], "no name"), ([other + "/nothing"], "No such file"),
          ([folder + "/pipe"], "neither may contain"),
        ] {
          let refused = try fixture.run(
            [Programs.control, "share"] + words + ["--state", guest.state])
          #expect(refused.ending == .exit(1), "\(words)")
          #expect(
            refused.errorLines.count == 1 && refused.errors.contains(reason), "\(refused.errors)")
        }
        #expect(try fixture.control(guest, "unshare", "mine").ending == .exit(1))
        #expect(try shares(guest, fixture).count == 1)
        try fixture.waitForEquality(guest.mount, host.mount)
      }
    }

    /// S61: a path that somebody took while its owner was away changes what is listed, never the
    /// file.
    @Test func aConflictRenamesWhatIsListed() throws {
      try withFixture { fixture in
        let (host, guest) = try pair(fixture)
        let folder = try fixture.newFolder("music")
        try Files.write(folder + "/song", "guest's")
        try Files.write(folder + ".txt", "guest's text")
        try fixture.control(guest, "share", folder, "--as", "music").succeeded()
        try fixture.control(guest, "share", folder + ".txt", "--as", "text").succeeded()
        try fixture.waitFor(host.path("music/song"))
        #expect(try guest.leave() == .exit(0))
        try fixture.waitForAbsence(host.path("music"))
        // The folders merge, the songs do not.
        try Files.makeFolder(host.path("music"))
        try Files.write(host.path("music/song"), "host's")
        try Files.write(host.path("text"), "host's text")
        try guest.start(["--nowait"])
        try guest.waits(for: .live)
        try fixture.waitFor(host.path("text (conflict, guest)"), "guest's text")
        try fixture.waitFor(host.path("music (conflict, guest)/song"), "guest's")
        try fixture.waitFor(guest.path("music/song"), "host's")
        try fixture.waitFor(guest.path("text"), "host's text")
        try fixture.waitForEquality(guest.mount, host.mount)
        #expect(try Files.list(folder) == ["song"])
        #expect(try Files.text(folder + "/song") == "guest's")
        #expect(
          try shares(guest, fixture).map(\.name).sorted() == [
            "music (conflict, guest)", "text (conflict, guest)",
          ])
      }
    }

    private func shares(_ daemon: Daemon, _ fixture: Fixture) throws -> [SharesReport.Share] {
      let json = try fixture.control(daemon, "shares", "--json").succeeded().text
      #expect(json.hasPrefix("{"))
      return try daemon.shares()
    }

    private func pair(_ fixture: Fixture) throws -> (Daemon, Daemon) {
      let (host, hub) = try fixture.host()
      return (host, try fixture.member("guest", of: hub, approvedBy: host))
    }
  }
}
