import Protocol
import Testing

/// Names that peers choose, in what is hashed.
struct IdentifierTests {
  /// Half of an id, or all but one part of a leaf's name, is the same in all of them.
  @Test func `names that a peer chose to be alike have hashes that are not`() {
    let alike = (1...2_000 as ClosedRange<UInt64>).map { RandomID(high: $0, low: 7) }
    #expect(Set(alike.map(\.hashValue)).count > 1_990)
    #expect(Set(alike.map { EntryKey(PublicID(1), $0).hashValue }).count > 1_990)
    let leaves = alike.map {
      LeafKey(
        owner: PublicID(1), entry: $0, version: RandomID(high: 1, low: 1), scale: 17,
        generation: 1, index: 0)
    }
    #expect(Set(leaves.map(\.hashValue)).count > 1_990)
    #expect(Set(leaves.map { $0.content.hashValue }).count > 1_990)
  }

  @Test func `an allowance refuses without taking, and is full again in its time`() {
    var allowance = Allowance(perSecond: 10, atOnce: 2, now: .seconds(100))
    func taken(_ count: Int, at now: Duration) -> Int {
      (0..<count).count { _ in allowance.take(now: now) }
    }
    #expect(taken(1_000, at: .seconds(100)) == 20)
    #expect(taken(1_000, at: .milliseconds(100_500)) == 5)
    #expect(!allowance.isFull(now: .seconds(102)) && allowance.isFull(now: .milliseconds(102_500)))
  }
}
