import Glibc
import Hostile
import Protocol
import Sealing
import System
import Testing

extension EndToEnd {
  /// What a hub still knows after it was killed.
  @Suite struct HubMemory {
    @Test func aMembersKeyAddressAndFirstContact() throws {
      try withFixture { fixture in
        let hub = try fixture.hub()
        let before = WallClock.seconds
        let master = try RegisteredPeer(to: hub.address).registerAsMaster(claim: hub.claim())
        let member = try RegisteredPeer(to: hub.address).registerAsClient()
        let waiter = try RegisteredPeer(to: hub.address).registerAsClient()
        guard
          case .newClientRegistered(let first)? = try master.receiveAll().last(where: {
            $0.opcode == .newClientRegistered
          })
        else { throw NeverHappened(description: "the master hears of no client") }
        #expect(first.publicID == waiter.publicID && first.address == "127.0.0.1")
        let key = GroupKeyMessage(
          publicID: member.publicID, generation: 7, wrapped: SecureRandom.bytes(200))
        try master.send(.groupKey(key))
        try master.send(.approveClient(AuthorisationScene.decision(member.publicID)))
        let words = try member.receive { $0.opcode == .bulkTickets }.map(\.opcode)
        #expect(words.prefix(3) == [.groupKey, .clientApproved, .bulkTickets])
        try hub.crash()
        try hub.restart()

        let again = try RegisteredPeer.whenReady(hub, identity: member.identity)
        try again.send(.clientRegister(again.registration(asMaster: false)))
        let ack = ClientRegisterAck(
          publicID: member.publicID, admission: .approved, master: master.identity.key)
        #expect(try again.next() == .clientRegisterAck(ack))
        #expect(try again.next() == .groupKey(key))
        #expect(try again.next().opcode == .bulkTickets)
        let back = try RegisteredPeer(to: hub.address, identity: master.identity)
        try back.send(.masterAppRegister(back.registration(asMaster: true)))
        guard case .masterAppRegisterAck(let known) = try back.next() else {
          throw NeverHappened(description: "no MASTER_APP_REGISTER_ACK")
        }
        #expect(known.clients.map(\.publicID) == [member.publicID, waiter.publicID])
        #expect(known.clients.map(\.generation) == [7, 0])
        #expect(known.clients.map(\.admission) == [.approved, .waiting])
        for client in known.clients {
          #expect(client.address == "127.0.0.1")
          #expect((before...before + 60).contains(client.firstSeen))
        }
      }
    }

    @Test func whomItHasForgottenAndThatNoNumberIsGivenTwice() throws {
      try withFixture { fixture in
        let hub = try fixture.hub(["--max-waiting", "1"])
        let master = try RegisteredPeer(to: hub.address).registerAsMaster(claim: hub.claim())
        try master.send(.leave)
        _ = master.receiveToTheEnd()
        let first = try RegisteredPeer(to: hub.address).registerAsClient()
        try leave(first)
        let second = try RegisteredPeer(to: hub.address).registerAsClient()
        try leave(second)
        #expect(second.publicID == PublicID(2))
        let back = try RegisteredPeer(to: hub.address, identity: first.identity)
        #expect(try back.registerAsClient().publicID == PublicID(3))
        try leave(back)
        for number in 4...6 as ClosedRange<UInt32> {
          try hub.crash()
          try hub.restart()
          let next = try RegisteredPeer.whenReady(hub).registerAsClient()
          #expect(next.publicID == PublicID(number))
          try leave(next)
        }
      }
    }

    private func leave(_ peer: RegisteredPeer) throws {
      try peer.send(.leave)
      #expect(peer.receiveToTheEnd().isEmpty)
    }
  }
}
