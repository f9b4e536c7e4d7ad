import Core
import Protocol
import Simulation
import Testing

/// Lists that were made by other changes show themselves.
struct HistoryTests {
  private func master(_ entries: Range<UInt64>) -> Master {
    var master = Master(epoch: 1)
    var actions: [MasterAction] = []
    master.hubConnected(
      clients: [client(1, .waiting), client(2, .waiting)], now: .zero, into: &actions)
    _ = master.approve(alice, into: &actions)
    _ = master.approve(bob, into: &actions)
    for number in entries { add(number, to: &master) }
    return master
  }

  @discardableResult
  private func add(_ number: UInt64, to master: inout Master) -> OrderedChange? {
    var actions: [MasterAction] = []
    let proposal = Proposal(
      transfer: TransferID(incarnation: 7, counter: number + 1), oldest: number + 1, body: [])
    let change = ProposedChange.add([entry(number, "f\(number)")], reclaims: false)
    master.proposed(proposal, change, from: alice, now: .zero, into: &actions)
    for case .publish(let ordered) in actions { return ordered }
    return nil
  }

  private func ask(
    _ replica: Replica, of master: inout Master
  ) -> (page: FilesPage?, actions: [MasterAction]) {
    var actions: [MasterAction] = []
    let cursor = ListCursor(order: replica.order, offset: 0, began: 0)
    master.asked(cursor, seen: replica.mark, from: bob, into: &actions)
    for case .answer(_, .filesPage(let page)) in actions { return (page, actions) }
    return (nil, actions)
  }

  @Test func `equal changes make equal histories and nothing else does`() {
    var (one, other) = (Author(), Author())
    for author in [one, other] { #expect(author.replica.history == .none) }
    one.add(entry(1, "a"))
    other.add(entry(1, "a"))
    #expect(one.replica.history == other.replica.history)
    one.add(entry(2, "b"))
    other.add(entry(2, "c"))
    #expect(one.replica.history != other.replica.history)
    // Never again, whatever follows.
    one.add(entry(3, "d"))
    other.add(entry(3, "d"))
    #expect(one.replica.history != other.replica.history)
  }

  @Test func `a change fits behind its own history only, and only as it is`() {
    var (one, other) = (Author(), Author())
    one.add(entry(1, "a"))
    other.add(entry(1, "b"))
    let next = one.replica.placed(
      .removed(id(9)), from: alice, TransferID(incarnation: 1, counter: 1))
    #expect(one.replica.isContinued(by: next) && !other.replica.isContinued(by: next))
    let altered = OrderedChange(
      order: next.order, sender: bob, transfer: next.transfer, change: next.change,
      history: next.history)
    #expect(!one.replica.isContinued(by: altered))
  }

  @Test func `a question from a place that the master knows gets only what follows`() {
    var master = master(1..<40)
    let seen = master.replica
    add(50, to: &master)
    let (page, _) = ask(seen, of: &master)
    #expect(page?.restarts == false && page?.next.order == master.replica.order)
  }

  @Test func `a master that was set back notices, once, and begins a new epoch with a later key`() {
    var master = master(1..<20)
    let backup = master
    for number in 20..<30 as Range<UInt64> { add(number, to: &master) }
    let ahead = master.replica
    var restored = backup
    let (page, actions) = ask(ahead, of: &restored)
    #expect(page == nil)
    #expect(
      actions.contains(
        .notice(.list(of: bob, seen: ahead.mark, head: backup.replica.mark))))
    #expect(actions.last == .beginEpoch(ListOrder(epoch: 99, seq: backup.replica.order.seq)))
    var connected: [MasterAction] = []
    restored.hubConnected(
      clients: [client(1, .approved, generation: 1), client(2, .approved, generation: 1)],
      now: .zero, into: &connected)
    #expect(connected.contains(.useKey(2)) && connected.contains(.giveKey(bob, key(2))))
    // In the new epoch the old place means the whole list, and nothing begins a second time.
    #expect(ask(ahead, of: &restored).page?.restarts == true)
    var liar = Replica(order: restored.replica.order)
    liar.reached(ListOrder(epoch: 99, seq: 4_000), .none)
    let lie = ask(liar, of: &restored)
    #expect(lie.page?.restarts == true && lie.actions.count == 1)
  }

  @Test func `a number that was given twice shows itself to whoever slept in between`() {
    var master = master(1..<20)
    var restored = master
    for number in 20..<30 as Range<UInt64> { add(number, to: &master) }
    let slept = master.replica
    // Nobody asks until the restored master has come further than that.
    for number in 60..<90 as Range<UInt64> { add(number, to: &restored) }
    #expect(restored.replica.order.seq > slept.order.seq)
    let (page, actions) = ask(slept, of: &restored)
    #expect(page == nil && actions.contains { if case .beginEpoch = $0 { true } else { false } })
  }

  @Test func `a place that is no longer remembered means the whole list, and no alarm`() {
    var master = master(1..<3)
    let seen = master.replica
    let line = HistoryLine(at: 5, .none, limit: 2)
    #expect(line[4] == nil && line[5] == History.none && line[6] == nil)
    // A journal whose snapshot holds no earlier histories.
    add(3, to: &master)
    var young = Master(epoch: 1)
    young.restore(all: master.replica)
    let (page, actions) = ask(seen, of: &young)
    #expect(page?.restarts == true && actions.count == 1)
    // With them it is known.
    var old = Master(epoch: 1)
    old.restore(all: master.replica)
    old.restore(earlier: Array(master.replica.histories.all.dropLast()))
    #expect(ask(seen, of: &old).actions.count == 1)
  }

  @Test func `a line of histories forgets the oldest`() {
    var line = HistoryLine(at: 10, .none, limit: 3)
    for number in 1...5 as ClosedRange<UInt8> {
      line.append(History([UInt8](repeating: number, count: History.length)))
    }
    #expect(line.first == 13 && line.last == 15 && line.all.count == 3)
    #expect(line[12] == nil && line[13] == History([UInt8](repeating: 3, count: 32)))
    #expect(line.latest == line[15])
  }

  @Test func `a history comes back from its bytes`() {
    let bytes = (0..<32 as Range<UInt8>).map { $0 &* 37 &+ 5 }
    #expect(History(bytes).bytes == bytes)
    var writer = ByteWriter()
    writer.put(History(bytes))
    #expect(writer.bytes == bytes)
  }
}
