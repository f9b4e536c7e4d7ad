import Core
import Protocol
import Testing

/// How a hub gets its master, and what both sides are told of each other.
struct HubClaimTests {
  @Test func `a hub without a master takes none without its claim code`() {
    var bench = HubBench()
    let refused = bench.masterRegisters(claimHolds: false)
    #expect(refused.refusals == [100: .claimNeeded])
    #expect(!refused.contains(.persistMaster(key(200))))
    #expect(bench.masterRegisters(session: 101).contains(.persistMaster(key(200))))
  }

  @Test func `the claim code counts once`() {
    var bench = HubBench()
    bench.masterRegisters(200)
    #expect(bench.masterRegisters(201, session: 7).refusals == [7: .notTheMaster])
  }

  @Test func `the master that is known needs no claim code`() {
    var bench = HubBench()
    bench.restarts(keeping: bench.masterRegisters())
    #expect(bench.masterRegisters(claimHolds: false).refusals.isEmpty)
  }

  @Test func `a claim without its proof is refused and claims nothing`() {
    var bench = HubBench()
    #expect(bench.masterRegisters(proofHolds: false).refusals == [100: .badProof])
    #expect(bench.hub.masterKey == nil)
  }

  @Test func `a client that becomes the master is a client no more`() {
    var bench = HubBench()
    bench.restarts(keeping: [.persist(bench.hubClient(7, .waiting))])
    bench.clientRegisters(7)
    let actions = bench.masterRegisters(7)
    #expect(actions.contains(.forget(PublicID(7))))
    #expect(actions.refusals == [7: .displaced])
    #expect(
      actions.messages(to: 100).first
        == .masterAppRegisterAck(MasterRegisterAck(clients: [], isLast: true)))
    // What its old connection still says is nobody's.
    #expect(bench.receives(.askFiles(.start), from: 7).isEmpty)
    #expect(bench.clientRegisters(8).messages(to: 8).first.flatMap(publicID) == PublicID(8))
  }

  @Test func `a client hears whose key the master's is`() {
    var bench = HubBench()
    bench.restarts(keeping: [.persist(bench.hubClient(1, .waiting))])
    let before = bench.clientRegisters(1).messages(to: 1)
    #expect(
      before == [.clientRegisterAck(ClientRegisterAck(publicID: alice, admission: .waiting))])
    bench.masterRegisters()
    let after = bench.clientRegisters(2).messages(to: 2)
    #expect(
      after == [
        .clientRegisterAck(
          ClientRegisterAck(publicID: bob, admission: .waiting, master: key(200)))
      ])
  }

  @Test func `who displaces another process is told so`() {
    var bench = HubBench.approved(1)
    let same = bench.clientRegisters(1, session: 11).messages(to: 11).first
    #expect(
      same
        == .clientRegisterAck(
          ClientRegisterAck(publicID: alice, admission: .approved, master: key(200))))
    let other = bench.clientRegisters(1, session: 12, incarnation: 2).messages(to: 12).first
    #expect(
      other
        == .clientRegisterAck(
          ClientRegisterAck(
            publicID: alice, admission: .approved, displaced: true, master: key(200))))
  }

  @Test func `a master that displaces another process is told so`() {
    var bench = HubBench()
    bench.masterRegisters()
    let other = bench.masterRegisters(session: 101, incarnation: 2)
    #expect(other.refusals == [100: .displaced])
    #expect(
      other.messages(to: 101).first
        == .masterAppRegisterAck(MasterRegisterAck(clients: [], isLast: true, displaced: true)))
  }

  @Test func `the master hears from where and since when a client is there`() {
    var bench = HubBench()
    var kept = bench.masterRegisters()
    let first = bench.clientRegisters(1, from: "192.0.2.7", time: 1_000)
    kept += first
    var record = client(1, .waiting)
    record = ClientRecord(
      publicID: record.publicID, key: record.key, name: record.name, system: record.system,
      address: "192.0.2.7", firstSeen: 1_000, admission: .waiting, presence: .online)
    #expect(first.messages(to: 100) == [.newClientRegistered(record)])
    // It comes back from elsewhere, to a hub that was started anew.
    bench.restarts(keeping: kept)
    bench.masterRegisters()
    record = ClientRecord(
      publicID: record.publicID, key: record.key, name: record.name, system: record.system,
      address: "2001:db8::1", firstSeen: 1_000, admission: .waiting, presence: .online)
    let again = bench.clientRegisters(1, session: 11, from: "2001:db8::1", time: 2_000)
    #expect(again.messages(to: 100) == [.newClientRegistered(record)])
  }

  private func publicID(_ message: Message) -> PublicID? {
    if case .clientRegisterAck(let ack) = message { ack.publicID } else { nil }
  }
}
