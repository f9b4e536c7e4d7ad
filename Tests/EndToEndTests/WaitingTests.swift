import Control
import Glibc
import Hostile
import System
import Testing

extension EndToEnd {
  @Suite struct Waiting {
    /// S9, S10: a master that does not answer costs a writer its time, and what was withdrawn then
    /// does not come back with the master.
    @Test func aSilentMasterCostsTheWriterItsTime() throws {
      try withFixture { fixture in
        let hub = try fixture.hub()
        let master = try fixture.master(hub)
        let guest = try fixture.member(
          "guest", of: hub.address, approvedBy: master, ["-o", "ack_timeout=2"])
        try Files.write(guest.path("known"), "old")
        try fixture.waitFor(master.path("known"), "old")
        master.process.kill(SIGSTOP)
        let (new, time) = timed { Files.errorOf { try Files.write(guest.path("new"), "x") } }
        #expect(new == ETIMEDOUT)
        #expect(time > .seconds(1) && time < .seconds(6))
        try fixture.waitForAbsence(guest.path("new"))
        let (changed, _) = timed { Files.errorOf { try Files.write(guest.path("known"), "newer") } }
        #expect(changed == ETIMEDOUT)
        #expect(try Files.text(guest.path("known")) == "newer")
        master.process.kill(SIGCONT)
        try fixture.waitFor(master.path("known"), "newer")
        try fixture.waitForSameList(master, guest)
        #expect(!Files.exists(master.path("new")))
        try fixture.waitForEquality(master.mount, guest.mount)
        try Files.write(guest.path("new"), "second try")
        try fixture.waitFor(master.path("new"), "second try")
      }
    }

    /// S10: a new file that was `fsync`ed is not withdrawn; S11 holds for it.
    @Test func aSynchronisedNewFileStays() throws {
      try withFixture { fixture in
        let hub = try fixture.hub()
        let master = try fixture.master(hub)
        let guest = try fixture.member(
          "guest", of: hub.address, approvedBy: master, ["-o", "ack_timeout=1"])
        try master.crash()
        try eventually("the master is missed") { try !guest.status().masterPresent }
        let file = try Files.open(guest.path("safe"), O_WRONLY | O_CREAT)
        try File.writeAll(Array("on disk".utf8), to: file, "safe")
        #expect(fsync(file) == 0)
        #expect(try Files.text(guest.own + "/safe") == "on disk")
        // Nothing was written since the announcement of the fsync: close need not wait (S12).
        let code = Files.errorOf { try Files.close(file, "safe") }
        #expect([0, EHOSTDOWN].contains(code))
        #expect(try Files.text(guest.path("safe")) == "on disk")
        try master.start(["--master", hub.address])
        try master.waits(for: .live)
        try fixture.waitFor(master.path("safe"), "on disk")
        try fixture.waitForSameList(master, guest)
      }
    }

    /// S8: with `async_close` nobody waits, and what cannot be shared yet is shared later.
    @Test func anAsynchronousCloseDoesNotWait() throws {
      try withFixture { fixture in
        let hub = try fixture.hub()
        let master = try fixture.master(hub)
        let guest = try fixture.member(
          "guest", of: hub.address, approvedBy: master, ["-o", "async_close"])
        try master.crash()
        try eventually("the master is missed") { try !guest.status().masterPresent }
        let (code, time) = timed { Files.errorOf { try Files.write(guest.path("file"), "later") } }
        #expect(code == 0)
        #expect(time < .seconds(2))
        try master.start(["--master", hub.address])
        try master.waits(for: .live)
        try fixture.waitFor(master.path("file"), "later")
      }
    }

    /// S25: a signal ends the program that reads from an owner that does not answer, or that waits
    /// for the group's answer.
    @Test(arguments: [SIGKILL, SIGTERM]) func aSignalEndsAWait(signal: Int32) throws {
      try withFixture { fixture in
        let hub = try fixture.hub()
        let master = try fixture.master(hub)
        let guest = try fixture.member("guest", of: hub.address, approvedBy: master)
        try Files.write(master.path("file"), Samples.bytes(400_000))
        try fixture.waitFor(guest.path("file"))
        master.process.kill(SIGSTOP)
        defer { master.process.kill(SIGCONT) }
        let log = fixture.newPath("cat") + ".log"
        let reader = try RunningProcess(
          ["cat", guest.path("file")], output: "/dev/null", errors: log)
        try eventually("the read waits") { try guest.status().readsWaiting > 0 }
        reader.kill(signal)
        #expect(try reader.wait(within: .seconds(5)) == .signal(signal))

        let writer = try RunningProcess(
          ["cp", "/etc/passwd", guest.path("copy")], output: "/dev/null", errors: log)
        try eventually("the close waits") { try guest.status().pendingChanges > 0 }
        writer.kill(signal)
        #expect(try writer.wait(within: .seconds(5)) == .signal(signal))
      }
    }

    /// A member that waits for its approval, or for a hub, ends when it is told to.
    @Test(arguments: [true, false]) func aStartCanBeGivenUp(hasHub: Bool) throws {
      try withFixture { fixture in
        let hub = hasHub ? try fixture.host().hub : try Socket.listening().address()
        let guest = try Daemon("guest", fixture)
        try guest.start([hub])
        try eventually("it is on its way") { (try? guest.status()) != nil }
        guest.process.kill(SIGTERM)
        #expect(try guest.process.wait(within: .seconds(8)) == .exit(0))
        #expect(!MountPoint.isLive(guest.mount))
      }
    }

    /// S35: leaving works with files still open in the mount: everybody else sees it at once, and
    /// the process ends when the last program lets go.
    @Test func aBusyMountCanBeLeft() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        let guest = try fixture.member("guest", of: hub, approvedBy: host)
        try Files.write(guest.path("file"), "open")
        try fixture.waitFor(host.path("file"), "open")
        let open = try Files.open(guest.path("file"), O_RDONLY)
        guest.process.kill(SIGTERM)
        let left = Files.errorOf {
          try fixture.waitForAbsence(host.path("file"))
          try eventually("the mount is gone") { !MountPoint.isLive(guest.mount) }
        }
        // What the close says once the mount is gone is nobody's concern.
        _ = Glibc.close(open)
        #expect(left == 0, "the files are gone while a program still holds one")
        #expect(try guest.process.wait() == .exit(0))
      }
    }

    /// What a crash leaves mounted does not keep the next start from mounting.
    @Test func aDeadMountIsReplaced() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        try Files.write(host.path("file"), "kept")
        host.process.kill(SIGKILL)
        _ = try host.process.wait()
        #expect(MountPoint.isLive(host.mount))
        try host.start(["--host", "--listen", hub])
        try host.waits(for: .live)
        try fixture.waitFor(host.path("file"), "kept")
        #expect(MountPoint.all(below: host.mount) == [host.mount])
      }
    }

    /// S37: silence is no reason to part: heartbeats keep an idle mount connected.
    @Test func anIdleMountStaysConnected() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        let guest = try fixture.member("guest", of: hub, approvedBy: host)
        try Files.write(host.path("file"), "x")
        try fixture.waitFor(guest.path("file"), "x")
        try throughout("both are connected", .seconds(20)) {
          try host.status().hubConnected && guest.status().hubConnected
        }
        for log in [host.log, guest.log] {
          #expect(!(try Files.text(log).contains("broke")))
        }
      }
    }
  }
}
