import Control
import Glibc
import System
import Testing

extension Adversity {
  @Suite struct Outages {
    /// S38: the hub dies and comes back: everybody is there again by itself, with what was written
    /// meanwhile.
    @Test func everybodyComesBackAfterTheHubsDeath() throws {
      try withFixture { fixture in
        let hub = try fixture.hub()
        let master = try fixture.master(hub)
        let guest = try fixture.member(
          "guest", of: hub.address, approvedBy: master, ["-o", "ack_timeout=2"])
        try Files.write(guest.path("before"), "before")
        try fixture.waitFor(master.path("before"), "before")
        let id = try guest.publicID()

        try hub.crash()
        try eventually("the guest notices") { try !guest.status().hubConnected }
        // An own file's new content cannot be refused: it stays, and is told when there is somebody
        // to tell it to (S11). A new file is withdrawn (S10).
        let changed = Files.errorOf { try Files.write(guest.path("before"), "during") }
        #expect([EHOSTDOWN, ETIMEDOUT].contains(changed))
        #expect(try Files.text(guest.path("before")) == "during")
        try Files.makeFolder(guest.path("folder"))
        let new = Files.errorOf { try Files.write(guest.path("new"), "lost?") }
        #expect([EHOSTDOWN, ETIMEDOUT].contains(new))

        try hub.restart()
        try guest.waits(for: .live)
        try master.waits(for: .live)
        #expect(try guest.publicID() == id)
        try fixture.waitFor(master.path("before"), "during")
        try fixture.waitFor(master.path("folder"))
        try fixture.waitForAbsence(guest.path("new"))
        #expect(!Files.exists(master.path("new")))
        try Files.write(guest.path("after"), "after")
        try Files.write(master.path("master's"), "too")
        try fixture.waitFor(master.path("after"), "after")
        try fixture.waitFor(guest.path("master's"), "too")
        try fixture.waitForEquality(master.mount, guest.mount)
        try fixture.waitForSameList(master, guest)
      }
    }

    /// S37: a member's line is cut and healed: it is away, not gone; it reads and catches up after.
    @Test func aCutMemberCatchesUp() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        let line = try CutOff(fixture, to: hub)
        let guest = try fixture.member("guest", of: line.address, approvedBy: host)
        let content = Samples.bytes(2_000_000, seed: 4)
        try Files.write(host.path("big"), content)
        try Files.write(guest.path("guest's"), "still here")
        try fixture.waitFor(host.path("guest's"), "still here")
        try fixture.waitFor(guest.path("big"))
        let id = try guest.publicID()
        func presence() throws -> MemberReport.Presence? {
          try host.members().first { $0.publicID == id }?.presence
        }

        line.cut()
        try eventually("the guest is away") { try presence() == .away }
        try eventually("the guest notices") { try !guest.status().hubConnected }
        // Its entries stay listed, and listing waits for nobody (S6).
        let (names, time) = try timed { try Files.list(host.mount) }
        #expect(names == ["big", "guest's"] && time < .seconds(1))
        try Files.write(host.path("meanwhile"), "new")
        try Files.unlink(host.path("meanwhile"))
        try Files.write(host.path("meanwhile 2"), "newer")
        // A read begun now waits for the line, and then succeeds (S25).
        let seen = Locked<[UInt8]?>(nil)
        let path = guest.path("big")
        let reader = try Thread.start(name: "reader") {
          let bytes = try? Files.read(path)
          seen.withLock { $0 = bytes }
        }
        try eventually("the read waits") { try guest.status().readsWaiting > 0 }
        line.heal()
        reader.join()
        #expect(seen.withLock { $0 } == content)
        try guest.waits(for: .live)
        try eventually("the guest is online") { try presence() == .online }
        #expect(try guest.publicID() == id)
        try fixture.waitForEquality(host.mount, guest.mount)
        try fixture.waitForSameList(host, guest)
      }
    }

    /// S39: without the master reads go on, changes are refused; with it back all is as before.
    @Test func readsGoOnWithoutTheMaster() throws {
      try withFixture { fixture in
        let hub = try fixture.hub()
        let master = try fixture.master(hub)
        let options = ["-o", "ack_timeout=2"]
        let anna = try fixture.member("anna", of: hub.address, approvedBy: master, options)
        let bert = try fixture.member("bert", of: hub.address, approvedBy: master, options)
        let content = Samples.bytes(1_500_000, seed: 8)
        try Files.write(anna.path("anna's"), content)
        try fixture.waitFor(bert.path("anna's"))
        try Files.write(master.path("master's"), "m")
        try fixture.waitFor(bert.path("master's"), "m")
        let epoch = try bert.status().epoch
        let entries = try bert.status().entries

        try master.crash()
        try eventually("the master is missed") { try !bert.status().masterPresent }
        #expect(try Files.read(bert.path("anna's")) == content)
        let (code, time) = timed {
          Files.errorOf { try Files.write(bert.path("new"), "refused") }
        }
        #expect(code == EHOSTDOWN)
        #expect(time < .seconds(10))
        #expect(!Files.exists(bert.own + "/new"))
        try fixture.waitForAbsence(bert.path("new"))
        #expect(try bert.status().entries == entries)

        try master.start(["--master", hub.address])
        try master.waits(for: .live)
        try eventually("the master is back") { try bert.status().masterPresent }
        try fixture.waitForSameList(master, bert)
        #expect(try bert.status().epoch == epoch)
        #expect(try master.status().epoch == epoch)
        try Files.write(bert.path("new"), "accepted")
        try fixture.waitFor(anna.path("new"), "accepted")
        try fixture.waitFor(bert.path("master's"), "m")
        try fixture.waitForEquality(anna.mount, bert.mount)
        try fixture.waitForEquality(anna.mount, master.mount)
      }
    }

    /// S40: a lost journal costs a new epoch, and nobody's files.
    @Test func aLostJournalIsRebuiltFromTheMembers() throws {
      try withFixture { fixture in
        let hub = try fixture.hub()
        let master = try fixture.master(hub)
        let guest = try fixture.member("guest", of: hub.address, approvedBy: master)
        try Files.write(guest.path("guest's"), "g")
        try Files.makeFolder(guest.path("folder"))
        try Files.write(guest.path("folder/file"), "f")
        try Files.write(master.path("master's"), "m")
        try fixture.waitFor(guest.path("master's"), "m")
        let before = try Tree(guest.mount)
        let epoch = try master.status().epoch
        try master.crash()
        try Files.removeTree(master.state + "/journal")
        try master.start(["--master", hub.address])
        try master.waits(for: .live)
        try fixture.waitForSameList(master, guest)
        #expect(try master.status().epoch != epoch)
        try fixture.waitForEquality(master.mount, guest.mount)
        #expect(try before.difference(Tree(guest.mount)) == "nothing")
        try Files.write(guest.path("after"), "works")
        try fixture.waitFor(master.path("after"), "works")
      }
    }

    /// S25, S6: an owner that does not answer costs a reader its deadline, and listing nothing.
    @Test func aReadFailsAtItsDeadline() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host(["-o", "timeout=2"])
        let guest = try fixture.member("guest", of: hub, approvedBy: host)
        try Files.write(guest.path("file"), Samples.bytes(500_000))
        try fixture.waitFor(host.path("file"))
        guest.process.kill(SIGSTOP)
        let path = host.path("file")
        let result = Locked<(Int32, Duration)?>(nil)
        let reader = try Thread.start(name: "reader") {
          let (code, time) = timed { Files.errorOf { _ = try Files.read(path) } }
          result.withLock { $0 = (code, time) }
        }
        try eventually("the read waits") { try host.status().readsWaiting > 0 }
        let (_, listing) = try timed {
          _ = try Files.list(host.mount)
          _ = try Stat(path: path)
        }
        #expect(listing < .milliseconds(500))
        reader.join()
        let (code, time) = try #require(result.withLock { $0 })
        #expect(code == ETIMEDOUT)
        #expect(time > .seconds(1) && time < .seconds(6))
        guest.process.kill(SIGCONT)
        try eventually("it can be read again") {
          try Files.read(path) == Samples.bytes(500_000)
        }
      }
    }

    /// S36: after the grace time a lost member's files leave the list.
    @Test func aLostMembersFilesGoAfterTheGraceTime() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host(["--grace", "2"])
        let guest = try fixture.member("guest", of: hub, approvedBy: host)
        try Files.write(guest.path("file"), "here")
        try fixture.waitFor(host.path("file"), "here")
        try guest.crash()
        #expect(Files.exists(host.path("file")))
        try fixture.waitForAbsence(host.path("file"))
        try host.lists(0)
        // Its path is free for others, and the guest's own file is kept when it returns.
        try Files.write(host.path("file"), "mine now")
        try guest.start(["--nowait", hub])
        try guest.waits(for: .live)
        try fixture.waitFor(host.path("file (conflict, guest)"), "here")
        try fixture.waitForEquality(host.mount, guest.mount)
      }
    }

    /// A crash in the middle: the own folder is the truth, whatever the index says.
    @Test func aCrashedMemberSharesAgainWhatIsThere() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        let guest = try fixture.member("guest", of: hub, approvedBy: host)
        for index in 0..<20 { try Files.write(guest.path("\(index)"), "content \(index)") }
        try fixture.waitForEquality(host.mount, guest.mount)
        let open = OwnedDescriptor(try Files.open(guest.path("half"), O_WRONLY | O_CREAT))
        try File.writeAll(Samples.bytes(100_000), to: open.raw, "half")
        try guest.crash()
        try Files.write(guest.own + "/by hand", "past the mount")
        try Files.unlink(guest.own + "/7")
        try Files.write(guest.own + "/8", "changed!")
        try guest.start(["--nowait", hub])
        try guest.waits(for: .live)
        try fixture.waitFor(host.path("by hand"), "past the mount")
        try fixture.waitFor(host.path("8"), "changed!")
        try fixture.waitForAbsence(host.path("7"))
        try fixture.waitForEquality(host.mount, guest.mount)
        #expect(!Files.exists(host.path("half")))
        try fixture.waitForSameList(host, guest)
      }
    }
  }
}
