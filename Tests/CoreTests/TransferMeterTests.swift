import Core
import Protocol
import Testing

struct TransferMeterTests {
  private func leaf(_ number: UInt64, _ index: UInt64 = 0) -> LeafKey {
    LeafKey(
      owner: alice, entry: id(number), version: id(1_000 + number), scale: Limits.leafScale,
      generation: 0, index: index)
  }

  private func key(_ number: UInt64) -> VersionKey {
    VersionKey(EntryKey(alice, id(number)), id(1_000 + number))
  }

  @Test func `a steady flow has its rate`() {
    var meter = TransferMeter()
    for tenth in 0..<100 {
      meter.note(leaf(1), bytes: 1_000, now: .milliseconds(100_000 + tenth * 100))
    }
    let rate = meter[key(1)]?.rate(now: .milliseconds(109_999)) ?? 0
    #expect(rate > 9_900 && rate < 10_100)
    #expect(meter[key(1)]?.bytes == 100_000)
  }

  @Test func `a young flow is measured from its beginning`() {
    var meter = TransferMeter()
    for tenth in 0...10 { meter.note(leaf(1), bytes: 1_000, now: .milliseconds(300 + tenth * 100)) }
    let rate = meter[key(1)]?.rate(now: .milliseconds(1_300)) ?? 0
    #expect(rate > 9_900 && rate < 11_100)
  }

  @Test func `one leaf alone is no great rate`() {
    var meter = TransferMeter()
    meter.note(leaf(1), bytes: 1_000, now: .seconds(7))
    #expect(meter[key(1)]?.rate(now: .seconds(7)) == 2_000)
  }

  @Test func `a flow that stands still has none after four seconds`() {
    var meter = TransferMeter()
    for second in 0..<20 { meter.note(leaf(1), bytes: 1_000, now: .seconds(second)) }
    #expect((meter[key(1)]?.rate(now: .seconds(21)) ?? 0) > 0)
    #expect(meter[key(1)]?.rate(now: .seconds(24)) == 0)
    meter.note(leaf(1), bytes: 1_000, now: .seconds(60))
    let rate = meter[key(1)]?.rate(now: .seconds(60)) ?? 0
    #expect(rate > 0 && rate < 300)
  }

  @Test func `a flow that rested for long begins anew, unless it was paused`() {
    var meter = TransferMeter()
    for number in 1...2 as ClosedRange<UInt64> {
      meter.note(leaf(number), bytes: 1_000, now: .seconds(10))
    }
    meter.goOn(now: .seconds(100)) { $0 == key(1) }
    for number in 1...2 as ClosedRange<UInt64> {
      meter.note(leaf(number), bytes: 10, now: .seconds(101))
    }
    #expect(meter[key(1)]?.bytes == 1_010)
    #expect(meter[key(2)]?.bytes == 10)
  }

  @Test func `who was active lately is told, and only those`() {
    var meter = TransferMeter()
    meter.note(leaf(1), bytes: 1, now: .seconds(1))
    meter.note(leaf(2), bytes: 1, now: .seconds(9))
    #expect(meter.active(within: .seconds(3), now: .seconds(10)) == [key(2)])
  }

  @Test func `of very many flows the latest are remembered`() {
    var meter = TransferMeter()
    for number in 0..<10_000 as Range<UInt64> {
      meter.note(leaf(number), bytes: 1, now: .milliseconds(number))
    }
    let all = meter.active(within: .seconds(100), now: .seconds(10))
    #expect(all.count <= 256 && all.count >= 128)
    #expect(meter[key(9_999)] != nil && meter[key(0)] == nil)
  }
}
