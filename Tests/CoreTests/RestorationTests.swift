import Core
import Protocol
import Testing

/// Who is in after a master was set back: nobody is let in or left out without a word.
struct RestorationTests {
  /// A master that knows alice and bob as approved under the first key, as of yesterday.
  private func yesterdays() -> Master {
    var old = Author()
    old.order(.approved(member(1, .approved)), by: .master)
    old.order(.approved(member(2, .approved)), by: .master)
    var master = Master(
      epoch: 1, vault: MasterVault(decisions: [member(1, .approved), member(2, .approved)]))
    master.restore(all: old.replica)
    return master
  }

  /// Connects until the master has no more reason to begin anew.
  @discardableResult
  private func connect(_ master: inout Master, _ clients: ClientRecord...) -> [MasterAction] {
    var all: [MasterAction] = []
    for _ in 0..<2 {
      var actions: [MasterAction] = []
      master.hubConnected(clients: clients, now: .zero, into: &actions)
      all += actions
      if case .beginEpoch? = actions.last { continue }
      break
    }
    return all
  }

  @Test func `who is out by the hub's later record stays out, and it is said why`() {
    var master = yesterdays()
    // Alice was put out under generation 2: nobody else is left to know it.
    let actions = connect(&master, client(1, .disapproved, generation: 2))
    #expect(actions.contains(.notice(.hubsKey(2, ours: 1))))
    #expect(master.replica.members[alice]?.admission == .disapproved)
    #expect(master.restoration.doubts == [key(1): .outByHub])
    #expect(master.generation > 2)
    var decided: [MasterAction] = []
    _ = master.approve(alice, into: &decided)
    #expect(master.restoration.doubts.isEmpty)
    #expect(master.replica.members[alice]?.admission == .approved)
  }

  @Test func `an approval that the hub missed is told again`() {
    var master = yesterdays()
    var actions: [MasterAction] = []
    master.hubConnected(
      clients: [client(1, .disapproved, generation: 1), client(2, .approved, generation: 1)],
      now: .zero, into: &actions)
    #expect(master.replica.members[alice]?.admission == .approved)
    #expect(actions.contains(.giveKey(alice, key(1))) && master.restoration.doubts.isEmpty)
  }

  @Test func `who is out here and in by the hub's later record stays out, and it is said why`() {
    var old = Author()
    old.order(.disapproved(member(1, .disapproved, generation: 1)), by: .master)
    var master = Master(epoch: 1)
    master.restore(all: old.replica)
    connect(&master, client(1, .approved, generation: 3))
    #expect(master.replica.members[alice]?.admission == .disapproved)
    #expect(master.restoration.doubts == [key(1): .outHere])
  }

  @Test func `a member that had a later key makes the master draw one later still`() {
    var master = yesterdays()
    connect(&master, client(1, .approved, generation: 1), client(2, .approved, generation: 1))
    var actions: [MasterAction] = []
    master.clientRegistered(client(1, .approved, generation: 1, reached: 4), into: &actions)
    #expect(actions.contains(.notice(.membersKey(of: alice, 4, ours: 1))))
    #expect(actions.contains { if case .beginEpoch = $0 { true } else { false } })
    let again = connect(
      &master, client(1, .approved, generation: 1, reached: 4),
      client(2, .approved, generation: 1))
    #expect(again.contains(.useKey(5)) && again.contains(.giveKey(bob, key(2))))
    #expect(!again.contains { if case .beginEpoch = $0 { true } else { false } })
    // Once for each member: nobody can have keys drawn as fast as he likes.
    for generation in 6...9 as ClosedRange<UInt32> {
      actions = []
      master.clientRegistered(
        client(1, .approved, generation: 5, reached: generation), into: &actions)
      #expect(!actions.contains { if case .useKey = $0 { true } else { false } })
    }
  }

  @Test func `what somebody says who is not in, or beyond all reason, draws no key`() {
    var master = yesterdays()
    connect(&master, client(1, .approved, generation: 1), client(2, .approved, generation: 1))
    for record in [
      client(9, .waiting, reached: 5), client(1, .approved, generation: 1, reached: .max),
      client(1, .approved, generation: 1, reached: 1 << 24),
      client(1, .approved, generation: 1, reached: 1 << 16 + 2),
    ] {
      var actions: [MasterAction] = []
      master.clientRegistered(record, into: &actions)
      #expect(actions.isEmpty)
    }
  }

  @Test func `whatever key members made it draw, the next one that was set back hears of it`() {
    let latest: UInt32 = 1 << 30
    var old = Author()
    old.order(.approved(member(1, .approved, generation: latest)), by: .master)
    var master = Master(epoch: 1, vault: MasterVault(generation: latest))
    master.restore(all: old.replica)
    let later = latest + (3 << 16)
    let actions = connect(&master, client(1, .approved, generation: later))
    #expect(actions.contains(.useKey(later + 1)))
  }

  @Test func `who is out by a member's later record is put out, and a person's later word stands`()
  {
    var master = yesterdays()
    let both = [client(1, .approved, generation: 1), client(2, .approved, generation: 1)]
    connect(&master, both[0], both[1])
    let report = [member(1, .disapproved, generation: 2)]
    // A master that was not set back does not listen: its own journal says it all.
    var actions: [MasterAction] = []
    master.reported(out: report, by: bob, into: &actions)
    #expect(actions.isEmpty && master.replica.members[alice]?.admission == .approved)

    connect(&master, both[0], client(2, .approved, generation: 1, reached: 2))
    #expect(master.restoration.generation == 3)
    actions = []
    master.reported(out: report, by: bob, into: &actions)
    #expect(master.replica.members[alice]?.admission == .disapproved)
    #expect(master.restoration.doubts == [key(1): .outByMember(bob)])
    _ = master.approve(alice, into: &actions)
    actions = []
    master.reported(out: report, by: bob, into: &actions)
    // Nor what is dated later than the master was set back.
    master.reported(out: [member(1, .disapproved, generation: 9)], by: bob, into: &actions)
    master.reported(out: [member(2, .disapproved, generation: 2)], by: alice, into: &actions)
    #expect(master.replica.members[alice]?.admission == .approved)
  }

  @Test func `a hub that lost its registry gets the table, then the keys, then the last word`() {
    var master = yesterdays()
    var actions: [MasterAction] = []
    master.hubConnected(clients: [], now: .zero, into: &actions)
    let table = ClientTable(
      records: [member(1, .approved), member(2, .approved)], highest: bob, isLast: false)
    #expect(
      actions == [
        .useKey(1), .tell(table), .giveKey(alice, key(1)), .giveKey(bob, key(2)),
        .tell(ClientTable(records: [], highest: bob, isLast: true)),
      ])
    #expect(master.approve(alice, into: &actions))
  }

  @Test func `with the journal lost too, the vault still knows numbers and approvals`() {
    let vault = MasterVault(
      generation: 2, decisions: [member(1, .approved), member(2, .disapproved, generation: 2)])
    var master = Master(epoch: 2, vault: vault, isRebuilt: true)
    var actions: [MasterAction] = []
    master.hubConnected(clients: [], now: .zero, into: &actions)
    #expect(master.replica.members[alice]?.admission == .approved)
    #expect(master.replica.members[bob]?.admission == .disapproved)
    #expect(actions.contains(.giveKey(alice, key(1))))
  }
}

/// What a member does with a list that is another one than it had.
struct ForkedMemberTests {
  private func live(_ list: Replica) -> (Member, ListCursor) {
    var member = Member(isMaster: false, incarnation: 7)
    var actions: [MemberAction] = []
    member.received(
      .clientRegisterAck(ClientRegisterAck(publicID: bob, admission: .approved)), now: .zero,
      into: &actions)
    member.received(.online([.master]), now: .zero, into: &actions)
    actions = []
    take(list, restarts: true, &member, &actions)
    return (member, asked(actions) ?? .start)
  }

  private func asked(_ actions: [MemberAction]) -> ListCursor? {
    for case .send(.askFiles(let question)) in actions { return question.cursor }
    return nil
  }

  private func take(
    _ list: Replica, restarts: Bool, _ member: inout Member, _ actions: inout [MemberAction]
  ) {
    // What it asked is taken from a tick at which it asks again.
    var questions: [MemberAction] = []
    member.tick(now: member.nextDeadline ?? .zero, into: &questions)
    let body = PageBody(
      asker: bob, head: list.mark,
      items: list.members.values.sorted { $0.publicID < $1.publicID }.map { .member($0) }
        + list.list.sorted.map { .entry($0) })
    let page = FilesPage(
      after: asked(questions) ?? .start, next: ListCursor(order: list.order, offset: 0, began: 0),
      more: false, restarts: restarts, body: body.encoded())
    member.received(.filesPage(page), now: .seconds(100), into: &actions)
  }

  private func list(_ entries: Entry..., out: [MemberRecord] = []) -> Replica {
    var author = Author()
    for record in out { author.order(.disapproved(record), by: .master) }
    for entry in entries { author.add(entry) }
    return author.replica
  }

  @Test func `a change that was made behind other changes makes it ask, and the lists are equal`() {
    let mine = list(entry(1, "a"), entry(2, "b"))
    let fork = list(entry(1, "a"), entry(3, "c"))
    var (member, _) = live(mine)
    let next = fork.placed(.removed(id(1)), from: alice, TransferID(incarnation: 3, counter: 1))
    var actions: [MemberAction] = []
    member.hear(next.message(), now: .seconds(100), into: &actions)
    #expect(member.phase == .synchronising && asked(actions)?.order == mine.order)
    actions = []
    take(fork, restarts: true, &member, &actions)
    #expect(member.phase == .live && member.replica.mark == fork.mark)
    #expect(member.replica.list.sorted == fork.list.sorted)
  }

  @Test func `a number that it has, given to another change, makes it ask`() {
    let mine = list(entry(1, "a"), entry(2, "b"))
    var (member, _) = live(mine)
    let other = list(entry(9, "z"))
    var actions: [MemberAction] = []
    let again = other.placed(.removed(id(9)), from: alice, TransferID(incarnation: 3, counter: 1))
    #expect(again.order == mine.order)
    member.hear(again.message(), now: .seconds(100), into: &actions)
    #expect(member.phase == .synchronising)
  }

  @Test func `who was out before is told to a master whose list has it otherwise`() throws {
    let out = member(1, .disapproved, generation: 2)
    var (member, _) = live(list(entry(1, "a"), out: [out]))
    var author = Author()
    var ignored: [MemberAction] = []
    author.order(.approved(CoreTests.member(1, .approved)), by: .master)
    member.received(.away([.master]), now: .seconds(100), into: &ignored)
    var actions: [MemberAction] = []
    member.received(.online([.master]), now: .seconds(100), into: &actions)
    actions = []
    take(author.replica, restarts: true, &member, &actions)
    var told: [MemberRecord] = []
    for case .send(.clientsOut(let message)) in actions { told += try message.records() }
    #expect(told == [out])
    // Once the list says so too, or a later word, there is nothing to tell.
    author.order(.approved(CoreTests.member(1, .approved, generation: 3)), by: .master)
    member.received(.away([.master]), now: .seconds(100), into: &ignored)
    member.received(.online([.master]), now: .seconds(100), into: &ignored)
    actions = []
    take(author.replica, restarts: false, &member, &actions)
    #expect(!actions.contains { if case .send(.clientsOut) = $0 { true } else { false } })
  }

  @Test func `a page for somebody else is not taken`() {
    var member = Member(isMaster: false, incarnation: 7)
    var actions: [MemberAction] = []
    member.received(
      .clientRegisterAck(ClientRegisterAck(publicID: bob, admission: .approved)), now: .zero,
      into: &actions)
    member.received(.online([.master]), now: .zero, into: &actions)
    let page = FilesPage(
      after: asked(actions) ?? .start, next: .start, more: false, restarts: true,
      body: PageBody(asker: alice, items: []).encoded())
    actions = []
    member.received(.filesPage(page), now: .zero, into: &actions)
    guard case .protocolError? = actions.first else { return #expect(Bool(false)) }
    #expect(member.phase == .synchronising)
  }
}
