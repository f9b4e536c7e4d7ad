import Core
import Protocol
import Testing

/// Group keys are kept and passed on; what was sealed under older ones, or by who is out, goes.
struct HubGroupKeyTests {
  private func request(
    _ first: UInt64 = 0, count: UInt32 = 1, owner: PublicID = alice, generation: UInt32 = 1
  ) -> ChunkRequest {
    ChunkRequest(
      owner: owner, entry: id(1), version: id(2), scale: Limits.leafScale, generation: generation,
      first: first, count: count, pastCache: false)
  }

  private func arrive(
    _ request: ChunkRequest, at bench: inout HubBench, from session: SessionID = 1
  ) -> [HubAction] {
    let frame =
      BulkFrame.header(request.key(0), payload: 1_000) + [UInt8](repeating: 1, count: 1_000)
    return bench.act { $0.receivedFrame(frame, session: session, now: $1, into: &$2) }
  }

  @Test func `a group key reaches who is in and is kept`() {
    var bench = HubBench.approved(2)
    let actions = bench.groupKey(alice, 1)
    #expect(actions.messages(to: 1) == [.groupKey(wrapped(alice, 1))])
    #expect(actions.messages(to: 2).isEmpty)
    #expect(
      actions.contains {
        if case .persist(let kept) = $0 { kept.groupKey == wrapped(alice, 1) } else { false }
      })
  }

  @Test func `a client that comes back gets its key before it may read`() {
    var bench = HubBench()
    var kept = bench.masterRegisters()
    kept += bench.clientRegisters(1)
    kept += bench.decides(alice, .approved)
    kept += bench.groupKey(alice, 3)
    bench.restarts(keeping: kept)
    let back = bench.clientRegisters(1)
    let words = back.messages(to: 1)
    #expect(words.count > 1 && words[1] == .groupKey(wrapped(alice, 3)))
    let keyAt = back.firstIndex(of: .send(.groupKey(wrapped(alice, 3)), to: [1]))
    let ticketsAt = back.firstIndex(of: .issueTickets(1))
    #expect(keyAt.flatMap { key in ticketsAt.map { key < $0 } } == true)
  }

  @Test func `the master is told which key the hub has for whom`() {
    var bench = HubBench.approved(1)
    bench.groupKey(alice, 5)
    let back = bench.masterRegisters(session: 101).messages(to: 101).first
    guard case .masterAppRegisterAck(let ack) = back else {
      Issue.record("no answer to the master")
      return
    }
    #expect(ack.clients.map(\.generation) == [5])
  }

  @Test func `a key for one that waits is given with its approval and not before`() {
    var bench = HubBench()
    bench.masterRegisters()
    bench.clientRegisters(1)
    #expect(bench.groupKey(alice, 1).messages(to: 1).isEmpty)
    let words = bench.decides(alice, .approved).messages(to: 1)
    let decision = Decision(order: ListOrder(epoch: 1, seq: 1), publicID: alice, body: [])
    #expect(words.prefix(2) == [.groupKey(wrapped(alice, 1)), .clientApproved(decision)])
  }

  @Test func `an older key does not replace a newer one`() {
    var bench = HubBench.approved(1)
    bench.groupKey(alice, 2)
    #expect(bench.groupKey(alice, 1).isEmpty)
    let again = GroupKeyMessage(publicID: alice, generation: 2, wrapped: [9])
    #expect(
      bench.receives(.groupKey(again), from: 100).messages(to: 1) == [.groupKey(again)])
    #expect(bench.clientRegisters(1, session: 11).messages(to: 11).contains(.groupKey(again)))
  }

  @Test func `a disapproval drops the key`() {
    var bench = HubBench.approved(1)
    bench.groupKey(alice, 2)
    let out = bench.decides(alice, .disapproved)
    #expect(
      out.contains { if case .persist(let kept) = $0 { kept.groupKey == nil } else { false } })
    let again = bench.decides(alice, .approved).messages(to: 1)
    #expect(!again.contains { $0.opcode == .groupKey })
  }

  @Test(arguments: [1, 2, 3] as [SessionID])
  func `a group key of anybody but the master ends the connection`(session: SessionID) {
    var bench = HubBench.approved(1)
    bench.clientRegisters(2)
    bench.hub.opened(3, now: .zero)
    let actions = bench.receives(.groupKey(wrapped(alice, 1)), from: session)
    #expect(actions.refusals == [session: .protocolError] && actions.count == 1)
  }

  @Test func `generation 0 is no key`() {
    var bench = HubBench.approved(1)
    #expect(bench.groupKey(alice, 0).refusals == [100: .protocolError])
  }

  @Test(arguments: [PublicID.master, PublicID(77)])
  func `a key for nobody is dropped`(publicID: PublicID) {
    var bench = HubBench.approved(1)
    #expect(bench.groupKey(publicID, 1).isEmpty)
  }

  @Test func `a new generation drops the leaves of the old one`() {
    var bench = HubBench.approved(3)
    bench.groupKey(bob, 1)
    bench.receives(.requestChunk(request()), from: 2)
    _ = arrive(request(), at: &bench)
    #expect(bench.hub.cachedBytes > 0)
    bench.groupKey(alice, 1)
    #expect(bench.hub.cachedBytes > 0)
    bench.groupKey(bob, 2)
    #expect(bench.hub.cachedBytes == 0)
    let late = bench.receives(.requestChunk(request()), from: 3)
    #expect(late.failures(to: 3).map(\.reason) == [.stale] && late.uploads.isEmpty)
    #expect((late.failures(to: 3).first?.retryAfter ?? 0) > 0)
    let asked = bench.receives(.requestChunk(request(generation: 2)), from: 3)
    #expect(asked.uploads == [request(generation: 2)])
  }

  @Test func `who waits for a leaf of the old generation asks again`() {
    var settings = Hub.Settings()
    settings.relay.credit = 300_000
    var bench = HubBench.approved(3, settings: settings)
    bench.receives(.requestChunk(request(0, count: 5)), from: 2)
    bench.receives(.requestChunk(request()), from: 3)
    let actions = bench.groupKey(alice, 2)
    #expect(actions.failures(to: 2).map(\.reason) == [.stale, .stale, .stale, .stale, .stale])
    #expect(Set(actions.failures(to: 2).map(\.first)) == [0, 1, 2, 3, 4])
    #expect(actions.failures(to: 3).map(\.reason) == [.stale])
    // The leaf that was on its way is nobody's any more.
    #expect(arrive(request(), at: &bench).isEmpty && bench.hub.cachedBytes == 0)
  }

  @Test func `the generation outlives the hub`() {
    var bench = HubBench()
    var kept = bench.masterRegisters()
    for (number, publicID) in [(UInt8(1), alice), (2, bob)] {
      kept += bench.clientRegisters(number)
      kept += bench.decides(publicID, .approved)
      kept += bench.groupKey(publicID, 4)
    }
    bench.restarts(keeping: kept)
    bench.clientRegisters(1)
    bench.clientRegisters(2)
    let actions = bench.receives(.requestChunk(request(generation: 3)), from: 2)
    #expect(actions.failures(to: 2).map(\.reason) == [.stale])
  }

  @Test func `a disapproval ends what its client reads`() {
    var bench = HubBench.approved(2)
    bench.receives(.requestChunk(request(generation: 0)), from: 2)
    let out = bench.decides(bob, .disapproved)
    #expect(out.contains(.closeBulk(2)) && out.refusals.isEmpty)
    #expect(arrive(request(generation: 0), at: &bench).framed.isEmpty)
    #expect(bench.receives(.requestChunk(request(generation: 0)), from: 2).isEmpty)
  }

  @Test func `a disapproval ends what others read of its client, at hand or not`() {
    var bench = HubBench.approved(3)
    bench.receives(.requestChunk(request(generation: 0)), from: 2)
    _ = arrive(request(generation: 0), at: &bench)
    bench.receives(.requestChunk(request(1, generation: 0)), from: 3)
    #expect(bench.hub.cachedBytes > 0)
    let out = bench.decides(alice, .disapproved)
    #expect(out.failures(to: 3).map(\.reason) == [.denied])
    #expect(bench.hub.cachedBytes == 0)
    #expect(arrive(request(1, generation: 0), at: &bench).isEmpty)
    // Let in again, what it had at hand is asked for anew.
    bench.decides(alice, .approved)
    let again = bench.receives(.requestChunk(request(generation: 0)), from: 2)
    #expect(again.framed.isEmpty && again.uploads.count == 1)
  }

  @Test func `what the hub itself says cannot be directed`() {
    var bench = HubBench.approved(1)
    for message in [
      Message.online([alice]), .groupKey(wrapped(alice, 1)), .askFiles(.start),
      .refused(Refused(code: .displaced, reason: "")),
      .bulkTickets(BulkTickets(down: [], up: [])),
    ] {
      let actions = bench.receives(.directed(to: alice, message), from: 100)
      #expect(actions.refusals == [100: .protocolError] && actions.messages(to: 1).isEmpty)
    }
    let answer = Message.serverNotReady(TransferID(incarnation: 1, counter: 1))
    #expect(bench.receives(.directed(to: alice, answer), from: 100).messages(to: 1) == [answer])
  }
}
