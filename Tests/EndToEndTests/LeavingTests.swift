import Control
import Glibc
import Hostile
import System
import Testing

extension EndToEnd {
  @Suite struct Leaving {
    /// S35: leaving takes the files off every list at once; coming back shares them again.
    @Test(arguments: ["fusermount3", "SIGTERM", "SIGINT"])
    func whoLeavesTakesItsFilesAlong(way: String) throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        let guest = try fixture.member("guest", of: hub, approvedBy: host)
        let source = fixture.newPath("source")
        try Samples.folder(source, seed: 5)
        try fixture.run("cp", "-a", source, guest.path("shared")).succeeded()
        try Files.write(host.path("stays"), "here")
        try fixture.waitForEquality(host.mount, guest.mount)
        let before = try Tree(host.mount)
        let id = try guest.publicID()

        if way == "fusermount3" {
          try fixture.run("fusermount3", "-u", guest.mount).succeeded()
        } else {
          guest.process.kill(way == "SIGTERM" ? SIGTERM : SIGINT)
        }
        #expect(try guest.process.wait() == .exit(0))
        #expect(!MountPoint.isLive(guest.mount))
        try fixture.waitForAbsence(host.path("shared"))
        #expect(try Files.list(host.mount) == ["stays"])

        // The hub is remembered.
        try guest.start(["--nowait"])
        try guest.waits(for: .live)
        #expect(try guest.publicID() == id)
        try fixture.waitForEquality(host.mount, guest.mount)
        #expect(try before.difference(Tree(host.mount)) == "nothing")
      }
    }

    /// S26: the host's own end takes the mount away and leaves its own files as they were.
    @Test func theHostStartsAgainWithItsFiles() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        try Files.write(host.path("file"), "kept")
        let epoch = try host.status().epoch
        #expect(try host.leave() == .exit(0))
        #expect(try Files.text(host.own + "/file") == "kept")
        try host.start(["--host", "--listen", hub])
        try host.waits(for: .live)
        #expect(try Files.text(host.path("file")) == "kept")
        #expect(try host.status().epoch == epoch)
      }
    }

    /// The command returns when the mount is live; what it started goes on until it is unmounted.
    @Test func withoutForegroundTheCommandReturnsWhenTheMountIsLive() throws {
      try withFixture { fixture in
        let host = try Daemon("host", fixture)
        let words = ["--state", host.state, "--own", host.own, host.mount]
        try fixture.run(
          [Programs.fsharefs, "--host", "--listen", "127.0.0.1:0"] + words
        ).succeeded()
        #expect(MountPoint.isLive(host.mount))
        try Files.write(host.path("file"), "at once")
        #expect(try host.status().role == .host)
        try fixture.run("fusermount3", "-u", host.mount).succeeded()
        try eventually("the daemon ends") { Watchdog.processes(naming: fixture.folder).isEmpty }
      }
    }

    /// With `--nowait` it returns at once, without a hub, and the mount is there; S103: without a
    /// list.
    @Test func withNowaitTheCommandReturnsAtOnce() throws {
      try withFixture { fixture in
        let nowhere = try Socket.listening().address()
        let guest = try Daemon("guest", fixture)
        let (command, time) = try timed {
          try fixture.run([
            Programs.fsharefs, "--nowait", "--state", guest.state, "--own", guest.own, nowhere,
            guest.mount,
          ])
        }
        try command.succeeded()
        #expect(time < .seconds(5))
        #expect(MountPoint.isLive(guest.mount))
        #expect(Files.errorOf { _ = try Files.list(guest.mount) } == EHOSTDOWN)
        #expect(try guest.status().state == .connecting)
        try fixture.run("fusermount3", "-u", guest.mount).succeeded()
        try eventually("the daemon ends") { Watchdog.processes(naming: fixture.folder).isEmpty }
      }
    }
  }
}
