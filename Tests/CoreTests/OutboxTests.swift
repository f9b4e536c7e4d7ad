import Core
import Protocol
import Testing

/// A member's changes that wait, in their order.
struct OutboxTests {
  private func all(_ outbox: inout Outbox) -> [Outbox.Waiting] {
    var found: [Outbox.Waiting] = []
    while let one = outbox.popWaiting() { found.append(one) }
    return found
  }

  @Test func `what is withdrawn leaves the rest in its order`() {
    var outbox = Outbox()
    for number in 1...9 as ClosedRange<UInt64> {
      outbox.add(id(number))
      if number % 3 == 0 { outbox.append(.remove(id(100 + number))) }
    }
    for number in [1, 2, 5, 9, 8] as [UInt64] { outbox.withdrawAdd(id(number)) }
    outbox.withdrawAdd(id(50))
    #expect(outbox.count == 7)
    #expect(outbox.isWaitingToAdd(id(4)) && !outbox.isWaitingToAdd(id(5)))
    outbox.add(id(5))
    outbox.add(id(4))
    #expect(outbox.firstWaiting == .add(id(3)))
    #expect(
      all(&outbox) == [
        .add(id(3)), .remove(id(103)), .add(id(4)), .add(id(6)), .remove(id(106)), .add(id(7)),
        .remove(id(109)), .add(id(5)),
      ])
    #expect(outbox.count == 0)
  }

  @Test func `withdrawn and added at random, it is as a plain list`() {
    var generator = SystemRandomNumberGenerator()
    let seed = generator.next() as UInt64
    var random = Lehmer(state: seed)
    var outbox = Outbox()
    var model: [Outbox.Waiting] = []
    for step in 0..<20_000 {
      let number = random.next() % 200
      switch random.next() % 6 {
      case 0, 1:
        outbox.add(id(number))
        if !model.contains(.add(id(number))) { model.append(.add(id(number))) }
      case 2, 3:
        outbox.withdrawAdd(id(number))
        model.removeAll { $0 == .add(id(number)) }
      case 4 where random.next() % 4 == 0:
        outbox.append(.remove(id(number)))
        model.append(.remove(id(number)))
      default:
        let popped = outbox.popWaiting()
        #expect(popped == model.first, "seed \(seed), step \(step)")
        if !model.isEmpty { model.removeFirst() }
      }
      if outbox.count != model.count || outbox.firstWaiting != model.first {
        Issue.record("seed \(seed), step \(step): \(outbox.count) wait, not \(model.count)")
        return
      }
    }
    #expect(all(&outbox) == model, "seed \(seed)")
  }

  /// The generator of Park and Miller: enough for a test, and the same from its seed everywhere.
  private struct Lehmer {
    var state: UInt64

    mutating func next() -> UInt64 {
      state = (state | 1) &* 0xda94_2042_e4dd_58b5
      return state >> 33
    }
  }
}
