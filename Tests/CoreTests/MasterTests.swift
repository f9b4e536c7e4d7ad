import Core
import Protocol
import Testing

/// The master by itself: what it orders and what it answers.
struct MasterTests {
  private func master(
    _ clients: ClientRecord..., approving approved: PublicID...
  ) -> Master {
    var master = Master(epoch: 1)
    var actions: [MasterAction] = []
    master.hubConnected(clients: clients, now: .zero, into: &actions)
    for publicID in approved { _ = master.approve(publicID, into: &actions) }
    return master
  }

  private func propose(
    _ change: ProposedChange, _ counter: UInt64, by sender: PublicID = alice,
    oldest: UInt64? = nil, to master: inout Master, now: Instant = .zero
  ) -> [MasterAction] {
    var actions: [MasterAction] = []
    let proposal = Proposal(
      transfer: TransferID(incarnation: 7, counter: counter), oldest: oldest ?? counter, body: [])
    master.proposed(proposal, change, from: sender, now: now, into: &actions)
    return actions
  }

  private func tables(_ actions: [MasterAction]) -> [[MemberRecord]] {
    actions.compactMap { if case .tell(let table) = $0 { table.records } else { nil } }
  }

  private func published(_ actions: [MasterAction]) -> [Change] {
    actions.compactMap { if case .publish(let ordered) = $0 { ordered.change } else { nil } }
  }

  @Test func `every change is journalled before it is told`() {
    var master = master(client(1, .waiting), approving: alice)
    let actions = propose(.add([entry(1, "a")], reclaims: false), 1, to: &master)
    guard actions.count == 2, case .journal(let first) = actions[0],
      case .publish(let second) = actions[1]
    else { return #expect(Bool(false)) }
    #expect(first == second)
  }

  @Test func `who is not approved changes nothing and learns nothing`() {
    var master = master(client(1, .waiting))
    #expect(propose(.add([entry(1, "a")], reclaims: false), 1, to: &master).isEmpty)
    var actions: [MasterAction] = []
    master.asked(.start, seen: .none, from: alice, into: &actions)
    #expect(actions.isEmpty)
  }

  @Test func `a second copy gets the same answer and has no effect`() {
    var master = master(client(1, .waiting), approving: alice)
    let change = ProposedChange.add([entry(1, "a")], reclaims: false)
    let first = propose(change, 1, to: &master)
    guard case .publish(let ordered) = first[1] else { return #expect(Bool(false)) }
    let answer = OrderedChange(
      order: ordered.order, sender: alice, transfer: ordered.transfer,
      change: .added([], rejected: []), history: ordered.history)
    #expect(propose(change, 1, to: &master) == [.answer(to: alice, answer.message())])
  }

  @Test func `a change that overtakes another is sent back`() {
    var master = master(client(1, .waiting), approving: alice)
    let early = propose(.remove(id(1)), 2, oldest: 1, to: &master)
    let transfer = TransferID(incarnation: 7, counter: 2)
    #expect(early == [.answer(to: alice, .serverNotReady(transfer))])
  }

  @Test func `entries of a batch are judged in turn`() {
    var master = master(client(1, .waiting), client(2, .waiting), approving: alice, bob)
    _ = propose(.add([entry(1, "a")], reclaims: false), 1, by: bob, to: &master)
    let batch = [
      entry(2, "a"), entry(3, "b"), entry(4, "b/c"), entry(5, "d/e"), entry(6, "d"),
      entry(7, "f", .directory), entry(8, "f/g"),
    ]
    let actions = propose(.add(batch, reclaims: false), 1, to: &master)
    #expect(
      published(actions) == [
        .added(
          [batch[1], batch[3], batch[5], batch[6]],
          rejected: [
            RejectedEntry(entry: id(2), reason: .exists),
            RejectedEntry(entry: id(4), reason: .notADirectory),
            RejectedEntry(entry: id(6), reason: .isADirectory),
          ])
      ])
  }

  @Test func `a full list takes no new entry but new content`() {
    var settings = Master.Settings()
    settings.limits.entries = 1
    var master = Master(epoch: 1, settings: settings)
    var actions: [MasterAction] = []
    master.hubConnected(clients: [client(1, .waiting)], now: .zero, into: &actions)
    _ = master.approve(alice, into: &actions)
    _ = propose(.add([entry(1, "a")], reclaims: false), 1, to: &master)
    let second = propose(.add([entry(2, "b")], reclaims: false), 2, to: &master)
    #expect(
      published(second) == [.added([], rejected: [RejectedEntry(entry: id(2), reason: .listFull)])]
    )
    let newer = entry(1, "a", version: 5)
    let third = propose(.add([newer], reclaims: false), 3, to: &master)
    #expect(published(third) == [.added([newer], rejected: [])])
  }

  @Test func `a member has so many entries and bytes of paths, and no more`() {
    var settings = Master.Settings()
    settings.limits.memberEntries = 3
    settings.limits.memberPathBytes = 40
    settings.limits.depth = 5
    var master = Master(epoch: 1, settings: settings)
    var actions: [MasterAction] = []
    master.hubConnected(
      clients: [client(1, .waiting), client(2, .waiting)], now: .zero, into: &actions)
    for one in [alice, bob] { _ = master.approve(one, into: &actions) }
    let deep = entry(1, "a/b/c/d/e/f")
    // 9 + 1 + 3 + 5 + 7 bytes, with the directories.
    let taken = entry(2, "a/b/c/d/e")
    let batch = [deep, taken, entry(3, "a/b/c/d/f"), entry(4, "xxxxxxx")]
    #expect(
      published(propose(.add(batch, reclaims: false), 1, to: &master)) == [
        .added(
          [taken, entry(3, "a/b/c/d/f")],
          rejected: [
            RejectedEntry(entry: id(1), reason: .tooDeep),
            RejectedEntry(entry: id(4), reason: .shareFull),
          ])
      ])
    #expect(master.replica.list.pathBytes(ownedBy: alice) == 34)
    // Longer by a rename is no way around.
    let renamed = propose(.rename(id(3), to: path("a/b/c/ddddddddddddddd")), 2, to: &master)
    #expect(
      published(renamed) == [
        .renamed(id(3), to: path("a/b/c/ddddddddddddddd"), rejection: .shareFull)
      ])
    let third = propose(.add([entry(5, "y"), entry(6, "z")], reclaims: false), 3, to: &master)
    #expect(
      published(third) == [
        .added([entry(5, "y")], rejected: [RejectedEntry(entry: id(6), reason: .shareFull)])
      ])
    // New content of what is there is taken, however full it is; also where it is deeper by now
    // than a new one might be.
    let newer = entry(2, "a/b/c/d/e", version: 99, size: 5)
    #expect(
      published(propose(.add([newer], reclaims: false), 4, to: &master)) == [
        .added([newer], rejected: [])
      ])
    // What one has takes nothing of another's.
    _ = propose(.remove(id(2)), 5, to: &master)
    _ = propose(.remove(id(3)), 6, to: &master)
    #expect(master.replica.list.pathBytes(ownedBy: alice) == 1)
    #expect(master.replica.list.pathBytes(ownedBy: bob) == 0)
  }

  @Test func `who left for long loses its paths`() {
    var master = master(client(1, .waiting), approving: alice)
    _ = propose(.add([entry(1, "a")], reclaims: false), 1, to: &master)
    var actions: [MasterAction] = []
    master.presenceChanged(alice, .away, into: &actions)
    #expect(actions.isEmpty)
    master.presenceChanged(alice, .gone, into: &actions)
    #expect(published(actions) == [.released(alice)])
  }

  @Test func `a client that the hub lets in and the journal does not know is asked about`() {
    var master = master(client(2, .waiting), approving: bob)
    var actions: [MasterAction] = []
    let known = [client(1, .approved), client(2, .approved, generation: 1)]
    master.hubConnected(clients: known, now: .zero, into: &actions)
    #expect(published(actions).isEmpty)
    #expect(tables(actions).first == [member(1, .waiting, generation: 0)])
    #expect(master.restoration.doubts[key(1)] == .unknown)
    #expect(!actions.contains(.giveKey(alice, key(1))))
    _ = master.approve(alice, into: &actions)
    #expect(master.restoration.doubts.isEmpty && master.replica.members[alice] != nil)
  }

  @Test func `a journal without a change takes back whom the vault says it approved`() {
    var master = Master(epoch: 1, vault: MasterVault(decisions: [member(1, .approved)]))
    var actions: [MasterAction] = []
    let known = [client(1, .approved), client(2, .approved)]
    master.hubConnected(clients: known, now: .zero, into: &actions)
    #expect(published(actions) == [.approved(member(1, .approved))])
    #expect(tables(actions).first == [member(2, .waiting, generation: 0)])
  }

  @Test func `behind a snapshot a member that missed a removal takes the whole list`() throws {
    var old = Author()
    old.order(.approved(member(1, .approved)), by: .master)
    old.add(entry(1, "a"), entry(2, "b"))
    let seen = ListCursor(order: old.replica.order, offset: 0, began: 0)
    let mark = old.replica.mark
    old.order(.removed(id(1)))
    var master = Master(epoch: 1)
    master.restore(all: old.replica)
    var actions: [MasterAction] = []
    master.asked(seen, seen: mark, from: alice, into: &actions)
    guard case .answer(_, .filesPage(let page))? = actions.first else {
      return #expect(Bool(false))
    }
    #expect(page.restarts)
  }

  @Test func `a cursor into a change that a snapshot took the place of misses nothing`() throws {
    var old = Author()
    old.order(.approved(member(1, .approved)), by: .master)
    old.add(entry(1, "a"), entry(2, "b"), entry(3, "c"))
    // Whoever stood between the second entry and the third of that change…
    let seen = ListCursor(
      order: ListOrder(epoch: 1, seq: 1), offset: 2, began: old.replica.order.seq)
    var master = Master(epoch: 1)
    master.restore(all: old.replica)
    // … is told of all that the snapshot has, however it counts.
    var actions: [MasterAction] = []
    master.asked(seen, seen: old.replica.mark, from: alice, into: &actions)
    guard case .answer(_, .filesPage(let page))? = actions.first else {
      return #expect(Bool(false))
    }
    #expect(try PageBody(decoding: page.body).items.count == 4)
  }

  @Test func `a decision made while the hub was away is made known on return`() {
    var master = master(client(1, .waiting), approving: alice)
    var actions: [MasterAction] = []
    _ = master.disapprove(alice, into: &actions)
    actions = []
    master.hubConnected(
      clients: [client(1, .approved, generation: 1)], now: .zero, into: &actions)
    #expect(published(actions) == [.disapproved(member(1, .disapproved, generation: 2))])
    // That is no doubt: a person said so.
    #expect(master.restoration.doubts.isEmpty)
  }

  @Test func `a number that the hub gave to another key is let in by no old decision`() {
    var master = master(client(1, .waiting), approving: alice)
    let stranger = ClientRecord(
      publicID: alice, key: key(9), name: deviceName("stranger"), system: "test",
      admission: .waiting, presence: .online)
    var actions: [MasterAction] = []
    master.clientRegistered(stranger, into: &actions)
    // Nor does it cost her to whom it belongs anything: the hub is told whose it is.
    #expect(published(actions).isEmpty && master.replica.members[alice]?.key == key(1))
    #expect(tables(actions) == [[member(1, .approved)]])
  }

  @Test func `nobody can decide about the master or a stranger`() {
    var master = master(client(1, .waiting))
    var actions: [MasterAction] = []
    #expect(!master.approve(.master, into: &actions))
    #expect(!master.disapprove(PublicID(99), into: &actions))
    #expect(actions.isEmpty)
  }
}

/// What a master does whose journal was lost, or lost its end.
struct RebuildTests {
  private func propose(
    _ change: ProposedChange, _ counter: UInt64, by sender: PublicID, to master: inout Master,
    now: Instant
  ) -> [MasterAction] {
    var actions: [MasterAction] = []
    let proposal = Proposal(
      transfer: TransferID(incarnation: 7, counter: counter), oldest: counter, body: [])
    master.proposed(proposal, change, from: sender, now: now, into: &actions)
    return actions
  }

  private func rebuilt() -> Master {
    let decisions = [member(1, .approved), member(2, .approved), member(3, .disapproved)]
    var master = Master(epoch: 2, vault: MasterVault(decisions: decisions), isRebuilt: true)
    var actions: [MasterAction] = []
    master.hubConnected(
      clients: [client(1, .approved), client(2, .approved), client(3, .disapproved)],
      now: .zero, into: &actions)
    return master
  }

  @Test func `approvals and disapprovals are taken back from the hub`() {
    let members = rebuilt().replica.members
    #expect(members[alice]?.admission == .approved)
    #expect(members[PublicID(3)]?.admission == .disapproved)
  }

  @Test func `what was in the list goes before what is new`() {
    var master = rebuilt()
    let new = propose(
      .add([entry(1, "a")], reclaims: false), 1, by: bob, to: &master, now: .zero)
    let transfer = TransferID(incarnation: 7, counter: 1)
    #expect(new == [.answer(to: bob, .serverNotReady(transfer))])
    _ = propose(
      .add([entry(2, "a")], reclaims: true), 1, by: alice, to: &master, now: .seconds(1))
    var actions: [MasterAction] = []
    master.tick(now: .seconds(3), into: &actions)
    _ = propose(.add([entry(1, "a")], reclaims: false), 1, by: bob, to: &master, now: .seconds(3))
    #expect(master.replica.list.visible(at: path("a"))?.owner == alice)
  }

  @Test func `rebuilding ends though somebody reclaims without an end`() {
    var master = rebuilt()
    var actions: [MasterAction] = []
    for second in 0..<20 as Range<Int64> {
      master.tick(now: .seconds(second), into: &actions)
      _ = propose(
        .add([entry(UInt64(second), "f\(second)")], reclaims: true), UInt64(second + 1),
        by: alice, to: &master, now: .seconds(second))
    }
    #expect(!master.isTakingBack)
  }

  @Test func `a master alone has nobody to wait for`() {
    var master = Master(epoch: 2, isRebuilt: true)
    var actions: [MasterAction] = []
    master.hubConnected(clients: [], now: .zero, into: &actions)
    #expect(master.nextDeadline == nil)
  }

  @Test func `a journal without its end goes on in a new epoch with what is left`() {
    var old = Author()
    old.order(.approved(member(1, .approved)), by: .master)
    old.add(entry(1, "a"))
    var master = Master(epoch: 9, survivor: old.replica)
    #expect(master.replica.order == ListOrder(epoch: 9, seq: 2))
    #expect(master.replica.list.sorted == old.replica.list.sorted)
    var actions: [MasterAction] = []
    master.hubConnected(clients: [client(1, .approved)], now: .zero, into: &actions)
    #expect(master.replica.list.count == 1)
  }

  @Test func `a disapproval that the journal's lost end held stays one`() {
    var old = Author()
    old.order(.approved(member(1, .approved)), by: .master)
    var master = Master(epoch: 9, survivor: old.replica)
    var actions: [MasterAction] = []
    master.hubConnected(clients: [client(1, .disapproved)], now: .zero, into: &actions)
    #expect(master.replica.members[alice]?.admission == .disapproved)
  }

  @Test func `a snapshot and what follows it restore the same list`() {
    var old = Author()
    old.order(.approved(member(1, .approved)), by: .master)
    old.add(entry(1, "a"), entry(2, "b"))
    var master = Master(epoch: 1)
    master.restore(all: old.replica)
    let next = old.replica.placed(
      .removed(id(1)), from: alice, TransferID(incarnation: 7, counter: 1))
    #expect(master.isContinued(by: next))
    master.restore(next)
    old.order(.removed(id(1)))
    #expect(master.replica.order == old.replica.order)
    #expect(master.replica.list.sorted == old.replica.list.sorted)
    #expect(master.replica.members == old.replica.members)
  }

  /// The vault is written before the journal: a later decision there holds, whatever the journal
  /// lost.
  @Test(arguments: [(1, false), (2, true), (3, true)] as [(UInt32, Bool)])
  func `an approval that only the vault knows holds if it is the later`(
    _ generation: UInt32, isIn: Bool
  ) {
    let vault = MasterVault(
      generation: 3, decisions: [member(1, .approved, generation: generation)])
    var master = Master(epoch: 1, vault: vault)
    let order = ListOrder(epoch: 1, seq: 7)
    master.restore(.member(member(1, .disapproved, generation: 2)), order: order)
    var actions: [MasterAction] = []
    master.hubConnected(clients: [client(1, .disapproved)], now: .zero, into: &actions)
    #expect((master.replica.members[alice]?.admission == .approved) == isIn)
  }
}
