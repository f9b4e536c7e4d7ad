import Core
import Protocol
import Testing

/// A crowd that waits for approval holds nobody up.
struct HubWaitingRoomTests {
  private static func bench(_ limit: Int) -> HubBench {
    var settings = Hub.Settings()
    settings.waitingLimit = limit
    var bench = HubBench(settings: settings)
    bench.masterRegisters()
    return bench
  }

  @Test func `with all of them connected a newcomer is refused`() {
    var bench = Self.bench(2)
    bench.clientRegisters(1)
    bench.clientRegisters(2)
    let refused = bench.clientRegisters(3)
    #expect(refused.refusals == [3: .tooManyClients])
    #expect(refused.count == 1)
  }

  @Test func `who was heard of longest ago makes room`() {
    var bench = Self.bench(3)
    for number in 1...3 as ClosedRange<UInt8> {
      bench.now = .seconds(Int64(number))
      bench.clientRegisters(number)
    }
    bench.now = .seconds(10)
    bench.act { $0.closed(1, now: $1, into: &$2) }
    bench.clientRegisters(1, session: 11)
    for session in [2, 3, 11] as [SessionID] {
      bench.act { $0.closed(session, now: $1, into: &$2) }
    }
    let actions = bench.clientRegisters(4)
    #expect(actions.refusals.isEmpty)
    #expect(actions.filter { $0 == .forget(bob) }.count == 1)
    #expect(actions.messages(to: 100).first == .clientForgotten([bob]))
    // The others are known as before.
    #expect(publicID(bench.clientRegisters(1, session: 12).messages(to: 12)) == alice)
    #expect(publicID(bench.clientRegisters(3, session: 13).messages(to: 13)) == PublicID(3))
  }

  @Test func `a number that was forgotten is never given again`() {
    var bench = Self.bench(1)
    var kept = bench.clientRegisters(1)
    kept += bench.act { $0.closed(1, now: $1, into: &$2) }
    kept += bench.clientRegisters(2)
    #expect(publicID(kept.messages(to: 2)) == bob)
    kept += bench.act { $0.closed(2, now: $1, into: &$2) }
    // Nobody is known now who had the highest number, but for the note of it.
    kept += [.forget(bob)]
    bench.restarts(keeping: kept)
    #expect(publicID(bench.clientRegisters(1, session: 11).messages(to: 11)) == PublicID(3))
  }

  @Test func `who was decided about takes no room and is let in when it is full`() {
    var bench = Self.bench(1)
    bench.clientRegisters(1)
    bench.decides(alice, .approved)
    bench.clientRegisters(2)
    bench.decides(bob, .disapproved)
    bench.clientRegisters(3)
    #expect(bench.clientRegisters(4).refusals == [4: .tooManyClients])
    bench.act { $0.closed(1, now: $1, into: &$2) }
    bench.act { $0.closed(2, now: $1, into: &$2) }
    #expect(bench.clientRegisters(1, session: 11).refusals.isEmpty)
    #expect(bench.clientRegisters(2, session: 12).refusals.isEmpty)
  }

  @Test func `an approval makes room`() {
    var bench = Self.bench(1)
    bench.clientRegisters(1)
    bench.decides(alice, .approved)
    #expect(bench.clientRegisters(2).refusals.isEmpty)
  }

  @Test func `a forgotten client is nobody until it registers again`() {
    var bench = Self.bench(1)
    bench.clientRegisters(1)
    bench.act { $0.closed(1, now: $1, into: &$2) }
    bench.clientRegisters(2)
    // An approval that was on its way keeps its place in the order, and lets nobody in.
    bench.decides(alice, .approved)
    bench.act { $0.closed(2, now: $1, into: &$2) }
    let back = bench.clientRegisters(1, session: 11)
    let ack = ClientRegisterAck(publicID: PublicID(3), admission: .waiting, master: key(200))
    #expect(back.messages(to: 11) == [.clientRegisterAck(ack)])
  }

  @Test func `a decision about a client that is not known is passed on in its order`() {
    var bench = HubBench.approved(1)
    let decision = Decision(order: ListOrder(epoch: 1, seq: 1), publicID: PublicID(9), body: [])
    #expect(bench.decides(PublicID(9), .approved) == [.send(.clientApproved(decision), to: [1])])
    #expect(
      bench.decides(PublicID(9), .disapproved) == [.send(.clientDisApproved(decision), to: [1])])
  }

  @Test func `a connection that is refused for its time is refused once`() {
    var bench = HubBench()
    bench.hub.opened(5, now: .zero)
    bench.hub.opened(6, now: .seconds(1))
    bench.act { $0.closed(5, now: $1, into: &$2) }
    #expect(bench.hub.nextDeadline == .seconds(11))
    let first = bench.act { hub, _, actions in hub.tick(now: .seconds(11), into: &actions) }
    #expect(first.refusals == [6: .protocolError])
    #expect(bench.act { hub, _, actions in hub.tick(now: .seconds(12), into: &actions) }.isEmpty)
  }

  @Test func `a client that comes back in time is not given up`() {
    var bench = HubBench.approved(2)
    bench.act { $0.closed(1, now: $1, into: &$2) }
    bench.now = .seconds(60)
    bench.clientRegisters(1, session: 11)
    #expect(bench.hub.nextDeadline == nil)
    bench.act { $0.closed(11, now: $1, into: &$2) }
    #expect(bench.hub.nextDeadline == .seconds(180))
  }

  @Test func `a crowd is given up one by one in the order in which it was lost`() {
    var bench = HubBench.approved(99)
    for number in 1...99 as ClosedRange<UInt64> {
      bench.now = .seconds(Int64(number))
      bench.act { $0.closed(number, now: $1, into: &$2) }
      if !number.isMultiple(of: 3) { bench.clientRegisters(UInt8(number), session: 1_000 + number) }
    }
    var gone: [PublicID] = []
    for action in bench.act({ hub, _, actions in hub.tick(now: .seconds(1_000), into: &actions) }) {
      if case .send(.gone(let publicIDs), _) = action { gone += publicIDs }
    }
    #expect(gone == (1...99).filter { $0.isMultiple(of: 3) }.map { PublicID(UInt32($0)) })
    #expect(bench.hub.nextDeadline == nil)
  }

  private func publicID(_ messages: [Message]) -> PublicID? {
    for case .clientRegisterAck(let ack) in messages { return ack.publicID }
    return nil
  }
}
