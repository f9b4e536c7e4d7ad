import CLinux
import Control
import Glibc
import System
import Testing

extension EndToEnd {
  /// S131: what the owner's patterns keep from the group.
  @Suite struct Ignoring {
    /// Such files are there for their owner, and do all that files do, without the group.
    @Test func theyAreOnlyTheirOwners() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        let guest = try fixture.member("guest", of: hub, approvedBy: host)
        try Files.write(guest.path(".fsharefsignore"), "*.tmp\nbuild/\n")
        let script = """
          set -e; cd "$1"
          echo 1 > a.tmp; echo 2 >> a.tmp; test "$(cat a.tmp)" = "$(printf '1\\n2')"
          mkdir build build/deep; echo x > build/deep/file; ln -s file build/deep/link
          test "$(cat build/deep/link)" = x; chmod 700 build/deep
          touch -d 2001-01-01 build/deep/file
          mv a.tmp b.tmp; mv b.tmp build/c; mv build/c a.tmp; cp -r build/deep build/copy
          python3 -c 'import os; f = open("a.tmp", "r+"); f.truncate(1); os.fsync(f.fileno())'
          test "$(stat -c %s a.tmp)" = 1; setfattr -n user.x -v 1 a.tmp 2> /dev/null || true
          rm -r build/copy; echo lock > '.~lock.text.odt#'; rm '.~lock.text.odt#'
          echo x > last
          """
        try fixture.shell(script, guest.mount).succeeded()
        try fixture.waitFor(host.path("last"), "x\n")
        #expect(try Files.list(host.mount) == ["last"])
        #expect(try Files.list(guest.own).contains("a.tmp"))
        #expect(try Files.list(guest.own + "/.fsharefs-staging") == ["lock", "targets"])
        // Who is asked says so.
        for (path, words) in [
          ("a.tmp", "'*.tmp' in line 1"), ("build/deep/file", "'build/' in line 2"),
          (".fsharefsignore", "to nobody else"),
        ] {
          let why = try fixture.control(guest, "why", path).succeeded().text
          #expect(why.replacing("\n", with: " ").contains(words), "\(why)")
        }
        let state = "user.fsharefs.state"
        #expect(try attribute(state, guest.path("a.tmp")) == "here, not shared")
        #expect(try attribute(state, guest.path("last")) == "here")
        // Nobody is asked: the exit status says that the file is here.
        host.process.kill(SIGSTOP)
        defer { host.process.kill(SIGCONT) }
        try Files.write(guest.path("alone.tmp"), "x")
        host.process.kill(SIGCONT)
        // A name that somebody else shares shows one's own first.
        try Files.write(host.path("both.tmp"), "theirs")
        try fixture.waitFor(guest.path("both.tmp"), "theirs")
        try Files.write(guest.own + "/both.tmp", "mine")
        try fixture.waitFor(guest.path("both.tmp"), "mine")
        #expect(try Files.text(host.path("both.tmp")) == "theirs")
        try Files.unlink(guest.path("both.tmp"))
        try fixture.waitFor(guest.path("both.tmp"), "theirs")
        // A crash and a restart tell nothing either.
        try guest.crash()
        try guest.start(["--nowait", hub])
        try guest.waits(for: .live)
        try Files.write(guest.path("again"), "x")
        try fixture.waitFor(host.path("again"), "x")
        #expect(try Files.list(host.mount) == ["again", "both.tmp", "last"])
        #expect(try Files.text(guest.path("build/deep/file")) == "x\n")
        #expect(try fixture.run("rm", "-r", guest.path("build")).ending == .exit(0))
        // Without the pattern it is shared, a while later.
        try Files.write(guest.path(".fsharefsignore"), "build/\n")
        try fixture.waitFor(host.path("a.tmp"), "1")
      }
    }

    /// To the trash and back; saved by way of another name: never a moment without the file.
    @Test func aRenameTakesBackOrShares() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        let guest = try fixture.member("guest", of: hub, approvedBy: host)
        try Files.write(guest.path(".fsharefsignore"), "*.part\n")
        try fixture.shell(
          """
          cd "$1" && mkdir photos && echo 1 > photos/1 && echo 2 > photos/2 && echo t > text && \
          mkdir -p .Trash-0/files .Trash-0/info && mv photos .Trash-0/files/
          """, guest.mount
        ).succeeded()
        try fixture.waitForAbsence(host.path("photos"))
        try fixture.waitFor(host.path("text"), "t\n")
        #expect(try Files.list(host.mount) == ["text"])
        try Files.rename(guest.path(".Trash-0/files/photos"), guest.path("photos"))
        try fixture.waitFor(host.path("photos/2"), "2\n")
        #expect(try Files.list(host.path("photos")) == ["1", "2"])
        let isSaving = Locked(true)
        let missed = Locked(0)
        let text = host.path("text")
        let looker = try Thread.start(name: "looker") {
          while isSaving.withLock({ $0 }) {
            if !Files.exists(text) { missed.withLock { $0 += 1 } }
          }
        }
        for round in 1...20 {
          try Files.write(guest.path("text.part"), "version \(round)")
          try Files.rename(guest.path("text.part"), guest.path("text"))
        }
        try fixture.waitFor(text, "version 20")
        isSaving.withLock { $0 = false }
        looker.join()
        #expect(missed.withLock { $0 } == 0)
        try fixture.waitForSameList(host, guest)
        // Over what is ignored, and to an ignored name over what is shared.
        try Files.write(guest.path("a.part"), "a")
        try Files.write(guest.path("b"), "b")
        try fixture.waitFor(host.path("b"), "b")
        try Files.rename(guest.path("a.part"), guest.path("c.part"))
        try Files.rename(guest.path("b"), guest.path("c.part"))
        try fixture.waitForAbsence(host.path("b"))
        #expect(try Files.text(guest.path("c.part")) == "b")
        #expect(try Files.list(host.mount) == ["photos", "text"])
        // Who has it open reads what he has, and no more.
        try Files.write(guest.path("large"), Samples.bytes(8 << 20, seed: 9))
        try eventually("it is listed") { try Stat(path: host.path("large")).size == 8 << 20 }
        let open = OwnedDescriptor(try Files.open(host.path("large"), O_RDONLY))
        try Files.rename(guest.path("large"), guest.path("large.part"))
        try fixture.waitForAbsence(host.path("large"))
        var piece = [UInt8](repeating: 0, count: 4096)
        #expect(pread(open.raw, &piece, piece.count, 7 << 20) == -1 && errno == ESTALE)
        // While it is open, and while it was never closed.
        let file = try Files.open(guest.path("open.part"), O_RDWR | O_CREAT)
        try File.writeAll(Array("one".utf8), to: file, "open")
        try Files.rename(guest.path("open.part"), guest.path("open"))
        try File.writeAll(Array(" two".utf8), to: file, "open")
        try Files.close(file, "open")
        try fixture.waitFor(host.path("open"), "one two")
        try Files.rename(guest.path("open"), guest.path("open.part"))
        try fixture.waitForAbsence(host.path("open"))
        try fixture.waitForSameList(host, guest)
      }
    }

    /// S133: the first thing that only its owner may read here, and that is shared, is a line.
    @Test func whatIsPrivateHereIsSaidOnce() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        let guest = try fixture.member("guest", of: hub, approvedBy: host)
        func lines() throws -> [Substring] {
          try Files.text(guest.log).split(separator: "\n").filter { $0.contains("said once") }
        }
        try fixture.shell(
          """
          set -e; cd "$1"; echo x > all; mkdir folder; mkdir -m 700 closed
          echo x > .Trash-1; chmod 600 .Trash-1; umask 077; echo x > '~$x'
          """, guest.mount
        ).succeeded()
        try fixture.waitFor(host.path("all"), "x\n")
        #expect(try lines().isEmpty)
        try fixture.shell(
          "cd \"$1\" && mkdir closed/in && umask 077 && echo x > mine && echo x > yours",
          guest.mount
        ).succeeded()
        try fixture.waitFor(host.path("yours"), "x\n")
        try eventually("it is said") { try !lines().isEmpty }
        #expect(try lines().count == 1 && lines()[0].contains("closed/in"))
        #expect(try guest.leave() == .exit(0))
        try guest.start(["--nowait", hub])
        try guest.waits(for: .live)
        try fixture.shell("umask 077; echo x > \"$1\"/more", guest.mount).succeeded()
        try fixture.waitFor(host.path("more"), "x\n")
        #expect(try lines().count == 1)
      }
    }

    private func attribute(_ name: String, _ path: String) throws -> String {
      var value = [UInt8](repeating: 0, count: 256)
      let count = getxattr(path, name, &value, value.count)
      if count < 0 { throw SystemError(name) }
      return String(decoding: value[..<count], as: UTF8.self)
    }
  }
}
