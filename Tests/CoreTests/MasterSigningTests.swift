import Core
import Protocol
import Testing

/// When the master signs, and what.
struct MasterSigningTests {
  private func signed(_ actions: [MasterAction]) -> [UInt64] {
    actions.compactMap { if case .sign(let order, _) = $0 { order.seq } else { nil } }
  }

  private func tick(_ master: inout Master, _ now: Instant) -> [UInt64] {
    var actions: [MasterAction] = []
    master.tick(now: now, into: &actions)
    return signed(actions)
  }

  @Test func `a change behind some quiet is signed at once, and more than one together`() {
    var master = Master(epoch: 1)
    var actions: [MasterAction] = []
    #expect(tick(&master, .zero) == [0])
    func change(_ counter: UInt64, _ now: Instant) {
      master.proposed(
        Proposal(transfer: TransferID(incarnation: 1, counter: counter), oldest: 1, body: []),
        .add([entry(counter, "f\(counter)")], reclaims: false), from: .master, now: now,
        into: &actions)
    }
    change(1, .seconds(1))
    #expect(master.hasUnsigned && tick(&master, .seconds(1)) == [1] && !master.hasUnsigned)
    change(2, .milliseconds(1_001))
    change(3, .milliseconds(1_004))
    #expect(tick(&master, .milliseconds(1_004)).isEmpty)
    #expect(master.nextDeadline == .milliseconds(1_005))
    #expect(tick(&master, .milliseconds(1_005)) == [3])
  }

  @Test func `where nothing changes it signs every half minute`() {
    var master = Master(epoch: 1)
    #expect(tick(&master, .zero) == [0])
    #expect(tick(&master, .milliseconds(29_999)).isEmpty)
    #expect(tick(&master, .seconds(30)) == [0])
  }
}
