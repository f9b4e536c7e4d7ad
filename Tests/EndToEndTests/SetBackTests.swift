import Control
import Glibc
import System
import Testing

extension Adversity {
  /// State folders that are yesterday's, and registries that are lost.
  @Suite struct SetBack {
    /// S97, S98: the host's state folder is restored from before two members came and one was put
    /// out. Lists come together, who is out stays out, and it is said.
    @Test func aHostWhoseStateIsYesterdays() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        let anna = try fixture.member("anna", of: hub, approvedBy: host)
        let bert = try fixture.member("bert", of: hub, approvedBy: host)
        try Files.write(anna.path("before"), "b")
        try fixture.waitFor(bert.path("before"), "b")
        let bertsID = try bert.publicID()
        #expect(try host.leave() == .exit(0))
        let backup = fixture.newPath("backup")
        try copy(host.state, to: backup, fixture)

        try host.start(["--host", "--listen", hub])
        try host.waits(for: .live)
        try anna.waits(for: .live)
        try bert.waits(for: .live)
        for index in 0..<20 { try Files.write(anna.path("later \(index)"), "\(index)") }
        try Files.write(bert.path("bert's"), "b")
        try fixture.waitFor(anna.path("bert's"), "b")
        try fixture.control(host, "disapprove", "bert").succeeded()
        try bert.waits(for: .disapproved)
        try fixture.waitForAbsence(anna.path("bert's"))
        let seen = try anna.status()

        #expect(try host.leave() == .exit(0))
        try Files.removeTree(host.state)
        try copy(backup, to: host.state, fixture)
        try host.start(["--host", "--listen", hub])
        try host.waits(for: .live)
        try eventually("bert is out again") {
          try host.members().contains { $0.publicID == bertsID && $0.state == .disapproved }
        }
        try fixture.waitForSameList(host, anna)
        try fixture.waitForEquality(host.mount, anna.mount)
        #expect(Files.exists(host.path("later 19")) && !Files.exists(host.path("bert's")))
        // Numbers are not given twice, and the group has a later key than it ever had.
        #expect(try host.status().epoch != seen.epoch)
        try eventually("anna has a later key") {
          let lines = try Files.text(anna.state + "/group").split(separator: "\n")
          return lines.contains { line in
            guard line.hasPrefix("generation ") else { return false }
            return (Int(line.dropFirst(11)) ?? 0) > 2
          }
        }
        #expect(try Files.text(host.log).contains("was set back to an earlier state"))
        #expect(try #require(try host.status().restoration).contains("in doubt: 1"))
        let doubt = try host.members().first { $0.publicID == bertsID }?.doubt
        #expect(doubt?.contains("record: approve to let in") == true)
        // Nobody takes the connection for broken.
        #expect(!(try Files.text(anna.log).contains("breaks the protocol")))

        // A person's word ends the doubt, and all goes on.
        try fixture.control(host, "approve", "bert", "--yes").succeeded()
        try bert.waits(for: .live)
        try fixture.waitFor(anna.path("bert's"), "b")
        #expect(try host.members().allSatisfy { $0.doubt == nil })
        try fixture.waitForEquality(host.mount, bert.mount)
      }
    }

    /// S98: who was approved behind the backup, by the record of a hub that has it still, is asked
    /// about: it waits, and keeps what it has.
    @Test func whomARestoredMasterDoesNotRememberWaits() throws {
      try withFixture { fixture in
        let hub = try fixture.hub()
        let master = try fixture.master(hub)
        let anna = try fixture.member("anna", of: hub.address, approvedBy: master)
        #expect(try master.leave() == .exit(0))
        let backup = fixture.newPath("backup")
        try copy(master.state, to: backup, fixture)
        try master.start(["--master", hub.address])
        try master.waits(for: .live)
        let cache = fixture.newPath("cache")
        let bert = try fixture.member(
          "bert", of: hub.address, approvedBy: master, ["--cache", cache])
        try Files.write(anna.path("anna's"), Samples.bytes(300_000, seed: 5))
        try fixture.waitFor(bert.path("anna's"))
        #expect(try Files.read(bert.path("anna's")).count == 300_000)
        try eventually("bert has it in his cache") {
          try (bert.status().diskCacheBytes ?? 0) >= 300_000
        }

        #expect(try master.leave() == .exit(0))
        try Files.removeTree(master.state)
        try copy(backup, to: master.state, fixture)
        try master.start(["--master", hub.address])
        try master.waits(for: .live)
        try eventually("bert waits") { try bert.status().state == .waiting }
        #expect(try (bert.status().diskCacheBytes ?? 0) >= 300_000)
        let id = try bert.publicID()
        try eventually("the master says why") {
          try master.members().contains {
            $0.publicID == id && $0.state == .waiting
              && $0.doubt?.contains("unknown to this master") == true
          }
        }
        try fixture.control(master, "approve", "bert", "--yes").succeeded()
        try bert.waits(for: .live)
        try fixture.waitForSameList(master, bert)
        #expect(try bert.publicID() == id)
      }
    }

    /// S99: a hub without its registry takes numbers and keys from the master.
    @Test func aHubThatLostItsRegistry() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        let anna = try fixture.member("anna", of: hub, approvedBy: host)
        let bert = try fixture.member("bert", of: hub, approvedBy: host)
        try Files.write(bert.path("bert's"), "b")
        try fixture.waitFor(anna.path("bert's"), "b")
        let ids = (try anna.publicID(), try bert.publicID())
        let epoch = try host.status().epoch
        try host.crash()
        try Files.unlink(host.state + "/hub/registry")
        try host.start(["--host", "--listen", hub])
        try host.waits(for: .live)
        // Whoever comes first, everyone has the number that it had, and nobody was put out for a
        // moment.
        try anna.waits(for: .live)
        try bert.waits(for: .live)
        #expect(try (anna.publicID(), bert.publicID()) == ids)
        try fixture.waitForSameList(host, anna)
        try fixture.waitForSameList(host, bert)
        #expect(try host.status().epoch == epoch)
        for one in [anna, bert] {
          #expect(!(try Files.text(one.log).contains("disapproved")))
          #expect(!(try Files.text(one.log).contains("breaks the protocol")))
        }
        let new = try fixture.member("new", of: hub, approvedBy: host)
        #expect(try new.publicID() > max(ids.0, ids.1))
        try Files.write(new.path("new's"), "n")
        try fixture.waitFor(anna.path("new's"), "n")
        try fixture.waitFor(new.path("bert's"), "b")
        #expect(try host.members().allSatisfy { $0.doubt == nil && $0.state == .approved })
      }
    }

    /// A copy of a state folder, as a person makes it.
    private func copy(_ one: String, to other: String, _ fixture: Fixture) throws {
      try fixture.run("cp", "-a", one, other).succeeded()
    }
  }
}
