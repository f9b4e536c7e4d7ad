import Core
import Protocol
import Testing

/// A second copy of a change has no second effect.
struct TransferLedgerTests {
  private func proposal(_ counter: UInt64, oldest: UInt64 = 1, incarnation: UInt64 = 7) -> Proposal
  {
    Proposal(
      transfer: TransferID(incarnation: incarnation, counter: counter), oldest: oldest, body: [])
  }

  private func answer(_ counter: UInt64, incarnation: UInt64 = 7) -> OrderedChange {
    OrderedChange(
      order: ListOrder(epoch: 1, seq: counter), sender: alice,
      transfer: TransferID(incarnation: incarnation, counter: counter),
      change: .added(
        [entry(counter, "a")], rejected: [RejectedEntry(entry: id(1), reason: .exists)])
    )
  }

  @Test func `the next in line is fresh`() {
    var ledger = TransferLedger()
    #expect(ledger.judge(proposal(1), from: alice) == .fresh)
  }

  @Test func `a second copy gets the first one's answer, without the entries`() {
    var ledger = TransferLedger()
    ledger.record(answer(1))
    let kept = OrderedChange(
      order: ListOrder(epoch: 1, seq: 1), sender: alice,
      transfer: TransferID(incarnation: 7, counter: 1),
      change: .added([], rejected: [RejectedEntry(entry: id(1), reason: .exists)]))
    #expect(ledger.judge(proposal(1), from: alice) == .duplicate(kept))
  }

  @Test func `one that overtakes another is early`() {
    var ledger = TransferLedger()
    #expect(ledger.judge(proposal(2, oldest: 1), from: alice) == .early)
    #expect(ledger.judge(proposal(1, oldest: 1), from: alice) == .fresh)
  }

  @Test func `an unknown incarnation begins at its oldest without an answer`() {
    var ledger = TransferLedger()
    #expect(ledger.judge(proposal(5, oldest: 5), from: alice) == .fresh)
  }

  @Test func `answers that only the sender still has are no gap`() {
    var ledger = TransferLedger()
    ledger.record(answer(3))
    #expect(ledger.judge(proposal(6, oldest: 6), from: alice) == .fresh)
  }

  @Test func `members do not disturb each other`() {
    var ledger = TransferLedger()
    ledger.record(answer(1))
    #expect(ledger.judge(proposal(1), from: bob) == .fresh)
  }

  @Test func `a new incarnation counts anew`() {
    var ledger = TransferLedger()
    ledger.record(answer(9))
    #expect(ledger.judge(proposal(1, incarnation: 8), from: alice) == .fresh)
  }

  @Test func `no more answers are kept than a second copy can ask for`() {
    var ledger = TransferLedger()
    for counter in 1...200 as ClosedRange<UInt64> { ledger.record(answer(counter)) }
    #expect(ledger.answers.count == Limits.answersKept)
    #expect(Limits.answersKept > Limits.transfersInFlight)
    #expect(ledger.judge(proposal(1), from: alice) == .duplicate(nil))
  }

  @Test func `kept answers restore the ledger`() {
    var ledger = TransferLedger()
    for counter in 1...100 as ClosedRange<UInt64> { ledger.record(answer(counter)) }
    var restored = TransferLedger()
    for answer in ledger.answers { restored.record(answer) }
    #expect(restored.judge(proposal(100), from: alice) == ledger.judge(proposal(100), from: alice))
    #expect(restored.judge(proposal(101), from: alice) == .fresh)
  }
}
