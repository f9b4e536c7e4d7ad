import Control
import Glibc
import Protocol
import Sealing
import State
import System
import Testing

extension Adversity {
  @Suite struct StateDisks {
    /// S95: nobody hears of a change that the master cannot keep; when there is room all goes on by
    /// itself.
    @Test(.enabled(if: geteuid() == 0, "only root can mount a small disk"))
    func aFullDiskOfTheMasterMakesChangesWait() throws {
      try withFixture { fixture in
        let disk = try SmallDisk(fixture, pages: 64)
        let host = try Daemon("host", fixture, state: disk.path + "/state")
        try host.start(["--host", "--listen", "127.0.0.1:0", "-o", "ack_timeout=2"])
        try host.waits(for: .live)
        let hub = try fixture.hubAddress(of: host)
        let guest = try fixture.member(
          "guest", of: hub, approvedBy: host, ["-o", "ack_timeout=2"])
        let late = try fixture.waitingMember("late", of: hub)
        try Files.write(guest.path("old"), "before")
        try fixture.waitFor(host.path("old"), "before")

        try disk.fill()
        // What is left of the journal's last page still takes a few.
        var kept: [String] = []
        var code: Int32 = 0
        while code == 0, kept.count < 200 {
          let name = "file \(kept.count)"
          code = Files.errorOf { try Files.write(guest.path(name), name) }
          if code == 0 { kept.append(name) }
        }
        #expect(code == ETIMEDOUT || code == EHOSTDOWN, "\(code) behind \(kept.count)")
        let own = Files.errorOf { try Files.write(host.path("own"), "x") }
        #expect(own == ETIMEDOUT || own == EHOSTDOWN)
        let new = Files.errorOf { try Files.write(guest.path("old"), "during") }
        #expect(new == ETIMEDOUT || new == EHOSTDOWN)
        // Nobody is let in or out without its being kept, and reading goes on.
        #expect(
          try fixture.control(host, "approve", "\(late.publicID())", "--yes").ending == .exit(1))
        #expect(try Files.text(host.path("file 0")) == "file 0")
        #expect(try guest.status().seq == host.status().seq)

        disk.free()
        // What was announced is told again, without anybody's doing.
        try fixture.waitFor(host.path("old"), "during")
        try Files.write(host.path("own"), "now")
        try fixture.waitFor(guest.path("own"), "now")
        try fixture.control(host, "approve", "\(late.publicID())", "--yes").succeeded()
        try late.waits(for: .live)

        // And what was said to be there is there after a kill.
        let epoch = try host.status().epoch
        try host.crash()
        try host.start(["--host", "--listen", hub])
        try host.waits(for: .live)
        for name in kept { try fixture.waitFor(host.path(name), name) }
        try guest.waits(for: .live)
        try fixture.waitForSameList(host, guest)
        #expect(try host.status().epoch == epoch)
        #expect(try fixture.control(host, "check").ending == .exit(0))
      }
    }

    /// S95: each kind of write that a folder in use sees, of all its files, on disks without any
    /// room: what cannot be kept is refused or waits, nothing is half done, and all goes on by
    /// itself when there is room.
    @Test(.enabled(if: geteuid() == 0, "only root can mount a small disk"))
    func everyWriteOfAFolderInUseWaitsOrIsRefused() throws {
      try withFixture { fixture in
        let clock = try MovableClock(fixture)
        let disks = (try SmallDisk(fixture, pages: 128), try SmallDisk(fixture, pages: 128))
        let (host, hub) = try fixture.host(
          ["-o", "ack_timeout=2"], state: disks.0.path + "/state", clock: clock)
        let guest = try fixture.member(
          "guest", of: hub, approvedBy: host, ["-o", "ack_timeout=2"],
          state: disks.1.path + "/state")
        let other = try fixture.member("other", of: hub, approvedBy: host)
        let places = try ["old", "new", "moving"].map { name in
          let folder = try fixture.newFolder(name)
          try Files.write(folder + "/file", name)
          return folder
        }
        for (one, side) in [(host, "host"), (guest, "guest")] {
          for (index, name) in [(0, "old"), (2, "moving")] {
            try fixture.control(one, "share", places[index], "--as", "\(name) \(side)").succeeded()
          }
        }
        try Files.write(guest.path("before"), "before")
        try fixture.waitFor(host.path("before"), "before")
        let vault = try #require(try VaultFile.read(host.state + "/vault"))
        let generation = try #require(vault.keys.last?.generation)

        try disks.0.fill()
        try disks.1.fill()
        // `shares`, of a member and of a master.
        for (one, side) in [(host, "host"), (guest, "guest")] {
          let new = try fixture.control(one, "share", places[1], "--as", "new \(side)")
          #expect(new.ending == .exit(1) && new.errors.contains("No space left"))
          let old = try fixture.control(one, "unshare", "old \(side)")
          #expect(old.ending == .exit(1) && old.errors.contains("No space left"))
          #expect(
            Files.errorOf { try Files.rename(one.path("moving \(side)"), one.path("x")) } == ENOSPC)
          #expect(try Set(one.shares().map(\.name)) == ["old \(side)", "moving \(side)"])
          #expect(try Files.text(one.path("old \(side)/file")) == "old")
          #expect(try Files.text(one.path("moving \(side)/file")) == "moving")
        }
        // `vault`: a decision, and a key of the group that is old.
        let out = try fixture.control(host, "disapprove", "other")
        #expect(out.ending == .exit(1) && out.errors.contains("No space left"))
        #expect(try other.status().state == .live)
        try clock.set(.weeksAhead)
        try eventually("the next key waits") {
          try Files.text(host.log).contains("changes wait until the disk takes them")
        }
        // `registry`: somebody comes whom the hub does not know.
        let late = try fixture.waitingMember("late", of: hub)
        // `name`, `list` and `index`; of changes that wait nobody hears.
        try fixture.control(guest, "name", "renamed").succeeded()
        let seq = try guest.status().seq
        let code = Files.errorOf { try Files.write(guest.path("during"), "x") }
        #expect(code == ETIMEDOUT || code == EHOSTDOWN)
        #expect(try Files.text(guest.path("before")) == "before")
        #expect(try Files.text(other.path("before")) == "before")
        #expect(try guest.status().seq == seq)

        disks.0.free()
        disks.1.free()
        try eventually("there is another key, and the guest remembers it") {
          let kept = try GroupFile.read(guest.state + "/group")?.generation
          return kept == generation + 1
        }
        try fixture.control(host, "disapprove", "other").succeeded()
        try eventually("the host knows who came, and by which name") {
          let names = try host.members().map(\.name)
          return names.contains("late") && names.contains("renamed")
        }
        for (one, side) in [(host, "host"), (guest, "guest")] {
          try fixture.control(one, "share", places[1], "--as", "new \(side)").succeeded()
          try fixture.control(one, "unshare", "old \(side)").succeeded()
          try Files.rename(one.path("moving \(side)"), one.path("moved \(side)"))
        }
        try Files.write(guest.path("behind"), "behind")
        try fixture.waitFor(host.path("behind"), "behind")
        try eventually("the hub keeps who came") {
          let records = try RegistryRecord.readAll(host.state + "/hub/registry") ?? []
          return records.contains { record in
            if case .client(let client, _) = record { client.name.text == "late" } else { false }
          }
        }

        // What was said to be done is so for the next process too.
        let number = try late.publicID()
        try host.crash()
        try guest.crash()
        try host.start(["--host", "--listen", hub])
        try guest.start(["--nowait", hub])
        try host.waits(for: .live)
        try guest.waits(for: .live)
        try eventually("late is there again") { try late.publicID() == number }
        for side in ["host", "guest"] {
          try fixture.waitFor(host.path("new \(side)/file"), "new")
          try fixture.waitFor(guest.path("moved \(side)/file"), "moving")
          #expect(!Files.exists(host.path("old \(side)")))
        }
        try fixture.waitFor(host.path("behind"), "behind")
        #expect(
          try host.members().contains { $0.name == "other" && $0.state == .disapproved })
        try fixture.waitForEquality(host.mount, guest.mount)
        for one in [host, guest] {
          #expect(try fixture.control(one, "check").ending == .exit(0))
        }
      }
    }

    /// S95: a hub takes no master that it cannot keep, and no start finds itself half made.
    @Test(.enabled(if: geteuid() == 0, "only root can mount a small disk"))
    func aHubAndStartsOnAFullDisk() throws {
      try withFixture { fixture in
        let disk = try SmallDisk(fixture, pages: 64)
        let hub = try fixture.hub(state: disk.path + "/state")
        try disk.fill()
        let master = try Daemon("master", fixture)
        let words = ["--master", "--claim-file", hub.claimFile, hub.address]
        // What is left of the registry's last page takes it, or it is refused.
        try master.start(words)
        let isTaken = try eventuallySome("the claim is answered") { () -> Bool? in
          if let ended = master.process.ended {
            #expect(ended == .exit(77))
            return false
          }
          return (try? master.status().state) == .live ? true : nil
        }
        if !isTaken { #expect(try Files.text(master.log).contains("make room on its disk")) }
        disk.free()
        if !isTaken { try master.start(words) }
        try master.waits(for: .live)
        let guest = try fixture.member(
          "guest", of: hub.address, approvedBy: master, state: disk.path + "/guest")
        try Files.write(guest.path("a"), "b")
        try fixture.waitFor(master.path("a"), "b")

        // A start that finds no room says so in one line, and leaves all as it was.
        try guest.crash()
        try hub.crash()
        try disk.fill()
        let before = try Files.text(guest.log).utf8.count
        try guest.start(["--nowait", hub.address])
        #expect(try guest.process.wait() == .exit(73))
        let said = try Files.text(guest.log).utf8.dropFirst(before)
        let line = String(decoding: said, as: UTF8.self)
        #expect(line.hasSuffix("make room there\n") && line.filter { $0 == "\n" }.count == 1)
        try hub.restart()
        #expect(try hub.process.wait() == .exit(73))
        #expect(try Files.text(hub.log).hasSuffix("make room there\n"))
        disk.free()
        try hub.restart()
        try guest.start(["--nowait", hub.address])
        try guest.waits(for: .live)
        try fixture.waitFor(master.path("a"), "b")
        try fixture.waitForSameList(master, guest)
      }
    }

    /// S94, S96: the start stops with a line that says what to type; `check` says the same before.
    @Test func damageStopsTheStartAndCheckSaysWhere() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        try Files.write(host.path("a"), "b")
        let well = try fixture.control(host, "check")
        #expect(well.ending == .exit(0) && !well.text.contains("NOT WELL"))
        for name in ["key", "vault", "journal", "index", "hub/registry", "hub/tls-key.pem"] {
          #expect(well.text.contains(name))
        }
        #expect(try host.leave() == .exit(0))
        for name in ["vault", "key", "hub/registry"] {
          let path = host.state + "/" + name
          let good = try Files.read(path)
          var damaged = good
          damaged[damaged.count - 1] ^= 1
          try Files.write(path, damaged)
          let check = try fixture.control(host, "check")
          #expect(check.ending == .exit(1) && check.text.contains("\(path) is damaged"))
          try host.start(["--host", "--listen", hub])
          #expect(try host.process.wait() == .exit(73))
          #expect(try Files.text(host.log).contains("\(path) is damaged"))
          #expect(try Files.read(path) == damaged)
          try Files.write(path, good)
        }
        // A damaged journal is set aside, and the list comes back from whoever has the files.
        let path = host.state + "/journal"
        var journal = try Files.read(path)
        journal[journal.count / 2] ^= 4
        try Files.write(path, journal)
        #expect(try fixture.control(host, "check").ending == .exit(1))
        try host.start(["--host", "--listen", hub])
        try host.waits(for: .live)
        try fixture.waitFor(host.path("a"), "b")
        #expect(try Files.read(path + ".damaged-1") == journal)
        #expect(try Files.text(host.log).contains("kept as \(path).damaged-1"))
        #expect(try fixture.control(host, "check").ending == .exit(0))
      }
    }
  }
}
