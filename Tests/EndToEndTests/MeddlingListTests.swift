import Control
import Hostile
import Protocol
import Sealing
import System
import Testing

extension Adversity {
  /// Whatever a hub does to what it passes on of the list, alone or with a member who seals for it:
  /// the list that shows is the master's, and who was not honest is named (S116).
  @Suite struct MeddlingWithTheList {
    /// A guest behind a hub that follows `orders`.
    private func scene(
      _ fixture: Fixture, _ orders: ListMeddler.Orders
    ) throws -> (host: Daemon, guest: Daemon, hub: String) {
      let (host, hub) = try fixture.host()
      let wire = try Wire(fixture, to: hub) { ListMeddler(orders) }
      let guest = try fixture.member("guest", of: "ws://" + wire.address, approvedBy: host)
      return (host, guest, hub)
    }

    @Test(arguments: [
      ListMeddler.Deed.withhold, .repeatChange, .reorder, .keepHeads,
    ])
    func theListIsTheMastersAllTheSame(deed: ListMeddler.Deed) throws {
      try withFixture { fixture in
        let orders = ListMeddler.Orders()
        let (host, guest, _) = try scene(fixture, orders)
        orders.order(deed)
        try Files.write(host.path("one"), "1")
        if deed == .reorder {
          // What is held back alone is as good as withheld.
          try Files.write(host.path("two"), "2")
          try fixture.waitFor(guest.path("two"))
        }
        try fixture.waitFor(guest.path("one"))
        #expect(orders.done > 0)
        let log = try Files.text(guest.log)
        if deed == .withhold {
          #expect(
            log.contains("the master has made change") && log.contains("the hub is broken or lies"))
          #expect(try guest.status().listFault?.contains("the master has made change") == true)
        }
        if deed == .repeatChange { #expect(!log.contains("the hub is broken or lies")) }
        // Whatever was said, both have the same in the end.
        orders.order(nil)
        try Files.write(host.path("last"), "3")
        try fixture.waitFor(guest.path("last"))
        #expect(try Files.list(guest.mount).sorted() == Files.list(host.mount).sorted())
        #expect(try (guest.status().listAge ?? .max) < 600)
      }
    }

    /// A hub, and a member who has the group's key: what they make up is never shown, and is found
    /// out.
    @Test func whatAHubAndAMemberMakeUpIsNeverShown() throws {
      try withFixture { fixture in
        let orders = ListMeddler.Orders()
        let (host, guest, hub) = try scene(fixture, orders)
        let liar = try Liar(fixture, of: hub, approvedBy: host)
        try Files.write(host.path("victim"), "here")
        try fixture.waitFor(guest.path("victim"))
        let last = try liar.hear { change in
          if case .added(let entries, _) = change.change {
            return entries.contains { $0.path.bytes == Array("victim".utf8) }
          }
          return false
        }
        guard case .added(let entries, _) = last.change, let victim = entries.first else {
          throw NeverHappened(description: "the liar heard of no file")
        }
        // The next change in the order, by its history, sealed with the group's key; the victim's
        // owner is the master.
        let made = OrderedChange(
          order: ListOrder(epoch: last.order.epoch, seq: last.order.seq + 1), sender: .master,
          transfer: TransferID(incarnation: 0, counter: 0), change: .removed(victim.id))
        let forged = made.with(ListHash.sha256(made.hashed(behind: last.history)))
        orders.order(.forge(try liar.sealedAsMaster(forged.message()).encoded()))
        let path = guest.path("victim")
        let (isOver, wasGone) = (Locked(false), Locked(false))
        let looker = try Thread.start(name: "looker") {
          while !isOver.withLock({ $0 }) {
            if !Files.exists(path) { wasGone.withLock { $0 = true } }
          }
        }
        defer {
          isOver.withLock { $0 = true }
          looker.join()
        }
        try Files.write(host.path("other"), "new")
        try fixture.waitFor(guest.path("other"))
        #expect(orders.done == 1)
        #expect(!wasGone.withLock { $0 })
        #expect(try Files.text(guest.path("victim")) == "here")
        #expect(
          try Files.text(guest.log).contains("other changes than the master has signed"))
      }
    }
  }
}
