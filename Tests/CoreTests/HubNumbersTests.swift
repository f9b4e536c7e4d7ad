import Core
import Protocol
import Testing

/// A hub that lost its registry: the master's table says which number is whose.
struct HubNumbersTests {
  private func tells(
    _ records: [MemberRecord], highest: UInt32 = 0, isLast: Bool = true, _ bench: inout HubBench
  ) -> [HubAction] {
    let table = ClientTable(records: records, highest: PublicID(highest), isLast: isLast)
    return bench.receives(.clientTable(table), from: HubBench.masterSession)
  }

  private func acks(_ actions: [HubAction], _ session: SessionID) -> [PublicID: Admission] {
    var acks: [PublicID: Admission] = [:]
    for case .clientRegisterAck(let ack) in actions.messages(to: session) {
      acks[ack.publicID] = ack.admission
    }
    return acks
  }

  @Test func `a hub without a registry gives no number before it knows which are taken`() {
    var bench = HubBench()
    #expect(bench.clientRegisters(5).isEmpty && bench.clientRegisters(9).isEmpty)
    // Nor does it drop who waits so.
    bench.now = .seconds(60)
    #expect(bench.act { $0.tick(now: $1, into: &$2) }.isEmpty)
    bench.masterRegisters(tellsNumbers: false)
    #expect(
      tells([member(5, .approved), member(6, .disapproved)], isLast: false, &bench).count > 0)
    #expect(acks(bench.clientRegisters(7), 7).isEmpty)
    let key = GroupKeyMessage(publicID: PublicID(5), generation: 3, wrapped: [3])
    _ = bench.receives(.groupKey(key), from: HubBench.masterSession)
    let actions = tells([], highest: 11, &bench)
    #expect(acks(actions, 5) == [PublicID(5): .approved])
    #expect(actions.messages(to: 5).contains(.groupKey(key)))
    // Newcomers come behind every number that was ever heard of, in their order.
    #expect(acks(actions, 9) == [PublicID(12): .waiting])
    #expect(acks(actions, 7) == [PublicID(13): .waiting])
    #expect(acks(bench.clientRegisters(6), 6) == [PublicID(6): .disapproved])
  }

  @Test func `a hub that knows its clients answers without the master`() {
    var bench = HubBench()
    bench.restarts(keeping: [.persist(bench.hubClient(1, .waiting))])
    #expect(acks(bench.clientRegisters(1), 1) == [alice: .waiting])
  }

  @Test func `who waits for the table in vain makes room when it goes, and no more wait than may`()
  {
    var settings = Hub.Settings()
    settings.waitingLimit = 2
    var bench = HubBench(settings: settings)
    bench.clientRegisters(1)
    bench.clientRegisters(2)
    #expect(bench.clientRegisters(3).refusals == [3: .tooManyClients])
    bench.act { $0.closed(1, now: $1, into: &$2) }
    #expect(bench.clientRegisters(4).isEmpty)
    let actions = bench.masterRegisters()
    #expect(acks(actions, 1).isEmpty && acks(actions, 2).count == 1 && acks(actions, 4).count == 1)
  }

  @Test func `who is known under another number connects again and gets the right one`() {
    var bench = HubBench.approved(1)
    // The hub took number 1 for a stranger, and knows key 1 under number 2.
    var other = HubBench()
    other.masterRegisters()
    other.clientRegisters(9)
    other.clientRegisters(1)
    #expect(acks(other.clientRegisters(1, session: 21, incarnation: 1), 21) == [bob: .waiting])
    let actions = tells([member(1, .approved)], &other)
    #expect(actions.contains(.close(9, nil)) && actions.contains(.close(21, nil)))
    #expect(actions.refusals.isEmpty)
    #expect(acks(other.clientRegisters(1, session: 31), 31) == [alice: .approved])
    #expect(acks(other.clientRegisters(9, session: 39), 39) == [PublicID(3): .waiting])
    // What is as the master has it stays untouched.
    #expect(tells([member(1, .approved)], &bench).isEmpty)
  }

  @Test func `whom the master does not remember waits again, and nobody hears of it any more`() {
    var bench = HubBench.approved(2)
    let actions = tells([member(1, .waiting)], &bench)
    #expect(actions.contains(.close(1, nil)))
    #expect(actions.messages(to: 2) == [.gone([alice])])
    let back = bench.clientRegisters(1, session: 11)
    #expect(acks(back, 11) == [alice: .waiting])
    #expect(!back.contains { if case .issueTickets(11) = $0 { true } else { false } })
  }

  @Test func `a number beyond all numbers is refused`() {
    var bench = HubBench.approved(1)
    #expect(
      tells([], highest: .max, &bench).refusals == [HubBench.masterSession: .protocolError])
    #expect(acks(bench.clientRegisters(5), 5) == [bob: .waiting])
  }

  @Test func `a hub says since which key somebody is out, over its own restart`() {
    var bench = HubBench()
    var kept = bench.masterRegisters() + bench.clientRegisters(1)
    kept += bench.decides(alice, .approved)
    kept += bench.receives(
      .disApproveClient(
        Decision(order: ListOrder(epoch: 1, seq: 2), publicID: alice, generation: 4, body: [])),
      from: HubBench.masterSession)
    bench.restarts(keeping: kept)
    let actions = bench.masterRegisters()
    guard
      case .masterAppRegisterAck(let ack)? = actions.messages(to: HubBench.masterSession).first
    else { return #expect(Bool(false)) }
    #expect(ack.clients.map(\.generation) == [4] && ack.clients.map(\.admission) == [.disapproved])
  }
}
