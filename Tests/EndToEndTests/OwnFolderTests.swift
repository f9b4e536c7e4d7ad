import CLinux
import Control
import Glibc
import System
import Testing

extension EndToEnd {
  /// The own folder used directly, past the mount.
  @Suite struct OwnFolders {
    /// S52: what is dropped in, changed, renamed or removed there is shared as through the mount.
    @Test func whatIsDoneInTheOwnFolderIsShared() throws {
      try withFixture { fixture in
        let (host, guest) = try pair(fixture)
        func same() throws {
          try fixture.waitForEquality(guest.own, host.mount, leavingOut: [".fsharefs-staging"])
          try fixture.waitForEquality(guest.mount, host.mount)
        }
        try Samples.folder(guest.own + "/dropped", seed: 3)
        try same()
        try Files.write(guest.own + "/dropped/1 bytes", "overwritten")
        try Files.write(guest.own + "/dropped/private", "appended", flags: O_APPEND)
        try Files.chmod(guest.own + "/dropped/private", 0o640)
        try Files.setModified(guest.own + "/dropped/nested/0 bytes", 1_000_000_000, 123_456_789)
        try same()
        try Files.rename(guest.own + "/dropped/1 bytes", guest.own + "/one")
        try Files.rename(guest.own + "/dropped/nested", guest.own + "/moved")
        try Files.write(guest.own + "/.one.swp", "saved by an editor")
        try Files.rename(guest.own + "/.one.swp", guest.own + "/one")
        try same()
        try Files.unlink(guest.own + "/one")
        try Files.removeTree(guest.own + "/moved/deeper")
        try Files.removeTree(guest.own + "/dropped/odd")
        try Files.symlink(guest.own + "/dropped/odd", to: "private")
        try same()
      }
    }

    /// S52: a rename there is a rename in the list; the kernel's pages of one's own file are
    /// dropped.
    @Test func aRenameIsOneChangeAndNoStalePageStays() throws {
      try withFixture { fixture in
        let (host, guest) = try pair(fixture)
        try Files.makeFolder(guest.own + "/folder")
        try Files.write(guest.own + "/folder/file", "first")
        try fixture.waitFor(host.path("folder/file"), "first")
        #expect(try Files.text(guest.path("folder/file")) == "first")
        let seq = try host.status().seq
        try Files.rename(guest.own + "/folder", guest.own + "/renamed")
        try fixture.waitFor(host.path("renamed/file"), "first")
        // One change for the whole folder, whose files are the same as before; its time is told at
        // most.
        #expect(try host.status().seq <= seq + 2)
        try Files.write(guest.own + "/renamed/file", "other")
        try fixture.waitFor(host.path("renamed/file"), "other")
        #expect(try Files.text(guest.path("renamed/file")) == "other")
      }
    }

    /// S53: what is still being written there is shared when its writer closes it.
    @Test func whatIsBeingWrittenIsSharedWhenItIsClosed() throws {
      try withFixture { fixture in
        let (host, guest) = try pair(fixture)
        let file = try Files.open(guest.own + "/film", O_WRONLY | O_CREAT)
        try File.writeAll(Samples.bytes(1_000_000), to: file, "film")
        try Files.write(guest.own + "/other", "other")
        try fixture.waitFor(host.path("other"), "other")
        #expect(!Files.exists(host.path("film")))
        try File.writeAll(Samples.bytes(1_000_000, seed: 2), to: file, "film")
        try Files.close(file, "film")
        try fixture.waitForEquality(
          guest.own, host.mount, leavingOut: [".fsharefs-staging"])
      }
    }

    /// S53: who holds a file open for ever is not waited for for ever.
    @Test func whatSettledIsShared() throws {
      try withFixture { fixture in
        let (host, guest) = try pair(fixture)
        let file = OwnedDescriptor(try Files.open(guest.own + "/log", O_WRONLY | O_CREAT))
        try File.writeAll(Array("line 1\n".utf8), to: file.raw, "log")
        try fixture.waitFor(host.path("log"), "line 1\n")
        try File.writeAll(Array("line 2\n".utf8), to: file.raw, "log")
        try fixture.waitFor(host.path("log"), "line 1\nline 2\n")
      }
    }

    /// S54: one's own changes through the mount have no echo.
    @Test func changesThroughTheMountAreToldOnce() throws {
      try withFixture { fixture in
        let (host, guest) = try pair(fixture)
        let before = try guest.status().seq
        try Files.makeFolder(guest.path("folder"))
        try Files.write(guest.path("folder/file"), "1")
        try Files.write(guest.path("folder/file"), "2", flags: O_APPEND)
        try Files.rename(guest.path("folder/file"), guest.path("folder/moved"))
        try Files.chmod(guest.path("folder/moved"), 0o600)
        try Files.chmod(guest.path("folder"), 0o700)
        try Files.setModified(guest.path("folder/moved"), 1_234_567_890, 5)
        try Files.symlink(guest.path("folder/link"), to: "moved")
        try Files.rename(guest.path("folder"), guest.path("other"))
        try Files.write(guest.path("last"), "last")
        let changes: UInt64 = 11
        try fixture.waitForSameList(host, guest)
        let after = try guest.status().seq
        #expect(after <= before + changes)
        // Longer than events are gathered, and than what is put off stays so.
        try throughout("nothing more is told", .milliseconds(2_500)) {
          try guest.status().seq == after
        }
        try fixture.waitForEquality(host.mount, guest.mount)
      }
    }

    /// S55: where the kernel lost events, all is compared.
    @Test func lostEventsAreMadeUpFor() throws {
      try withFixture { fixture in
        let (host, guest) = try pair(fixture)
        for folder in 0..<10 {
          try Files.makeFolder(guest.own + "/\(folder)")
          for file in 0..<10 { try Files.write(guest.own + "/\(folder)/\(file)", "\(file)") }
        }
        try fixture.waitForEquality(guest.mount, host.mount)
        // More than a queue of events takes, while nobody takes them out.
        guest.process.kill(SIGSTOP)
        defer { guest.process.kill(SIGCONT) }
        for round in 0..<2 {
          for name in 0..<5_000 {
            let path = guest.own + "/3/\(round) \(name)"
            try Files.write(path, "")
            if name % 50 > 0 { try Files.unlink(path) }
          }
        }
        try Files.removeTree(guest.own + "/1")
        try Files.rename(guest.own + "/2", guest.own + "/7/two")
        try Files.write(guest.own + "/4/4", "changed")
        try Files.rename(guest.own + "/5/5", guest.own + "/5/6")
        try Samples.folder(guest.own + "/8/new", seed: 4)
        guest.process.kill(SIGCONT)
        try fixture.waitForEquality(guest.own, host.mount, leavingOut: [".fsharefs-staging"])
        try fixture.waitForEquality(guest.mount, host.mount)
        // What is new is watched too.
        try Files.write(guest.own + "/8/new/after", "after")
        try fixture.waitFor(host.path("8/new/after"), "after")
      }
    }

    /// S52: programs that make, rename and remove in quick succession end in equality.
    @Test func aCloneIntoTheOwnFolderIsShared() throws {
      try withFixture { fixture in
        let (host, guest) = try pair(fixture)
        let source = fixture.newPath("source")
        try fixture.shell(
          """
          set -e; git init -q "$1"; cd "$1"; git config user.email a@b; git config user.name a
          for i in 1 2 3 4 5 6 7 8; do mkdir -p d$i/e; echo $i >d$i/e/f; cp -r d$i/e d$i/g
          git add -A; git commit -qm $i; done
          """, source
        ).succeeded()
        try fixture.shell(
          """
          set -e; git clone -q "$1" "$2/clone"; cd "$2"
          for i in $(seq 40); do mv clone/d1 clone/x$i; mv clone/x$i clone/d1; mv clone moved; mv moved clone; done
          cd clone; git checkout -q HEAD~3; git gc -q
          """, source, guest.own
        ).succeeded()
        try fixture.waitForEquality(guest.own, host.mount, leavingOut: [".fsharefs-staging"])
        try fixture.waitForEquality(guest.mount, host.mount)
        try fixture.run("git", "-C", guest.own + "/clone", "fsck").succeeded()
      }
    }

    /// S52, S54: changed through the mount and past it at once, the three sides end equal.
    @Test(arguments: 1...2 as ClosedRange<UInt64>) func bothWaysAtOnceEndInEquality(
      seed: UInt64
    ) throws {
      try withFixture { fixture in
        let (host, guest) = try pair(fixture)
        for round in 0..<3 {
          let sides = [guest.own, guest.mount].enumerated().map { index, side in
            (side, seed * 100 + UInt64(round * 2 + index))
          }
          let writers = try sides.map { side, seed in
            try Thread.start(name: "writer") {
              var random = RandomChanges(side, seed: seed)
              for _ in 0..<100 { random.change() }
            }
          }
          for writer in writers { writer.join() }
          try fixture.waitForEquality(guest.own, guest.mount, leavingOut: [".fsharefs-staging"])
          try fixture.waitForEquality(guest.mount, host.mount)
        }
      }
    }

    /// S52: what is changed past the mount is noticed also where a program uses the mount for the
    /// same thing before anybody has looked.
    @Test func whatIsChangedRightBeforeAnOperationOfTheMountIsNoticed() throws {
      try withFixture { fixture in
        let (host, guest) = try pair(fixture)
        for number in 0..<12 {
          try Files.makeFolder(guest.path("folder \(number)"))
          try Files.write(guest.path("mode \(number)"), "mode")
          try Files.write(guest.path("content \(number)"), "before")
        }
        try fixture.waitForEquality(guest.mount, host.mount)
        for number in 0..<12 {
          let names = ["folder", "mode", "content"].map { "\($0) \(number)" }
          // As long as before: nothing but its times tells that it is another content.
          try Files.write(guest.own + "/" + names[2], "behind", flags: 0)
          try Files.chmod(guest.own + "/" + names[0], 0o711)
          try Files.chmod(guest.own + "/" + names[1], 0o604)
          if number < 6 {
            for name in names { try Files.rename(guest.path(name), guest.path("moved \(name)")) }
          } else {
            if number < 9 {
              try Files.chmod(guest.path(names[2]), 0o600)
            } else {
              try Files.truncate(guest.path(names[2]), 4)
            }
            for name in names[...1] {
              try fixture.run("setfattr", "-n", "user.x", "-v", "y", guest.path(name)).succeeded()
            }
          }
        }
        try fixture.waitForEquality(
          guest.own, guest.mount, leavingOut: [".fsharefs-staging"])
        try fixture.waitForEquality(guest.mount, host.mount)
      }
    }

    /// S23: what is dropped at a path of somebody else's is kept and shared under the conflict
    /// name.
    @Test func whatIsDroppedAtAnothersPathIsKeptAside() throws {
      try withFixture { fixture in
        let (host, guest) = try pair(fixture)
        try Files.write(host.path("report"), "the host's")
        try fixture.waitFor(guest.path("report"), "the host's")
        try Files.write(guest.own + "/report", "the guest's")
        try fixture.waitFor(host.path("report (conflict, guest)"), "the guest's")
        try fixture.waitFor(guest.path("report"), "the host's")
        #expect(try Files.list(guest.own) == [".fsharefs-staging", "report (conflict, guest)"])
        try fixture.waitForEquality(host.mount, guest.mount)
      }
    }

    /// S36, S23: a path that somebody took while its owner was away for longer than the grace time.
    @Test func whoWasAwayTooLongKeepsItsFileUnderTheConflictName() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host(["--grace", "1"])
        let guest = try fixture.member("guest", of: hub, approvedBy: host)
        try Files.write(guest.path("report"), "the guest's")
        try Files.makeFolder(guest.path("folder"))
        try Files.write(guest.path("folder/notes"), "the guest's notes")
        try fixture.waitFor(host.path("folder/notes"), "the guest's notes")
        try guest.crash()
        try fixture.waitForAbsence(host.path("report"))
        try Files.write(host.path("report"), "the host's")
        // A file where the guest has a folder.
        try Files.write(host.path("folder"), "no folder")
        try guest.start(["--nowait", hub])
        try guest.waits(for: .live)
        try fixture.waitFor(host.path("report (conflict, guest)"), "the guest's")
        try fixture.waitFor(host.path("folder (conflict, guest)/notes"), "the guest's notes")
        try fixture.waitFor(guest.path("report"), "the host's")
        try fixture.waitFor(guest.path("folder"), "no folder")
        try fixture.waitForEquality(host.mount, guest.mount)
        try fixture.waitForSameList(host, guest)
        #expect(
          try Files.text(guest.own + "/folder (conflict, guest)/notes") == "the guest's notes")
      }
    }

    private func pair(_ fixture: Fixture) throws -> (Daemon, Daemon) {
      let (host, hub) = try fixture.host()
      return (host, try fixture.member("guest", of: hub, approvedBy: host))
    }
  }
}
