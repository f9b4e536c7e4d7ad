import Core
import Protocol
import Testing

/// Many entries: what they cost is counted, not timed.
struct CatchUpTests {
  private static let entries: UInt64 = 100_000

  private func entries(_ range: Range<UInt64>) -> [Entry] {
    range.map { entry($0 + 1, "d\($0 / 500)/file \($0)") }
  }

  @Test func `two replicas of 100,000 entries come together in pages`() throws {
    var author = Author()
    for start in stride(from: 0, to: Self.entries, by: 1_000) {
      author.order(.added(entries(start..<(start + 1_000)), rejected: []))
    }
    var early = Follower()
    try early.catchUp(with: author)
    #expect(early.items == Int(Self.entries))
    for number in 1...100 as ClosedRange<UInt64> { author.order(.removed(id(number))) }
    author.add(entry(500_000, "new"))
    try early.catchUp(with: author)
    #expect(early.items == Int(Self.entries) + 101 && early.restarts == 1)
    var late = Follower()
    try late.catchUp(with: author)
    #expect(early.hasCaughtUp(with: author) && late.hasCaughtUp(with: author))
  }

  @Test func `a member tells 100,000 entries in full transfers and is acked`() throws {
    var master = Master(epoch: 1)
    var own = Member(isMaster: true, incarnation: 7)
    var actions: [MemberAction] = []
    for entry in entries(0..<Self.entries) { own.share(entry, now: .zero, into: &actions) }
    own.adopt(master.replica, now: .zero, into: &actions)
    var transfers = 0
    while !actions.isEmpty {
      var orders: [MasterAction] = []
      for case .send(let message) in actions {
        let decoded = try #require(try ProposedChange.decode(message))
        transfers += 1
        master.proposed(
          decoded.proposal, decoded.change, from: .master, now: .zero, into: &orders)
      }
      actions = []
      for case .publish(let ordered) in orders {
        own.received(ordered, now: .zero, into: &actions)
      }
    }
    #expect(own.pendingChanges == 0)
    #expect(own.replica.list.count == Int(Self.entries))
    #expect(transfers < 150)
  }
}
