import Core
import Protocol
import Testing

/// What was true once is no word for now: old messages that a hub kept change nothing.
struct ReplayTests {
  private func master() -> Master {
    var master = Master(epoch: 1)
    var actions: [MasterAction] = []
    master.hubConnected(clients: [client(1, .waiting)], now: .zero, into: &actions)
    _ = master.approve(alice, into: &actions)
    return master
  }

  private func propose(
    _ change: ProposedChange, _ incarnation: Incarnation, to master: inout Master
  ) -> [MasterAction] {
    var actions: [MasterAction] = []
    let proposal = Proposal(
      transfer: TransferID(incarnation: incarnation, counter: 1), oldest: 1, body: [])
    master.proposed(proposal, change, from: alice, now: .zero, into: &actions)
    return actions
  }

  @Test func `what an earlier process said is not done again behind a later one`() {
    var master = master()
    let old = ProposedChange.add([entry(1, "a")], reclaims: false)
    #expect(propose(old, 5, to: &master).count == 2)
    #expect(propose(.remove(id(1)), 6, to: &master).count == 2)
    let told = propose(old, 5, to: &master)
    #expect(!told.contains { if case .publish = $0 { true } else { false } })
    #expect(master.replica.list.count == 0)
  }

  @Test func `a page that answers another question is not taken`() {
    var member = Member(isMaster: false, incarnation: 9)
    var actions: [MemberAction] = []
    member.received(
      .clientRegisterAck(ClientRegisterAck(publicID: alice, admission: .approved)), now: .zero,
      into: &actions)
    member.received(.online([.master]), now: .zero, into: &actions)
    guard case .send(.askFiles(let question))? = actions.last else { return #expect(Bool(false)) }
    let asked = question.cursor
    let head = ListCursor(order: ListOrder(epoch: 1, seq: 3), offset: 0, began: 0)
    let body = PageBody(asker: alice, items: []).encoded()
    let earlier = ListCursor(
      order: asked.order, offset: 0, began: 0,
      question: TransferID(incarnation: 8, counter: asked.question.counter))
    for (cursor, phase) in [(earlier, MemberPhase.synchronising), (asked, .live)] {
      actions = []
      let page = FilesPage(after: cursor, next: head, more: false, restarts: true, body: body)
      member.received(.filesPage(page), now: .zero, into: &actions)
      #expect(member.phase == phase)
    }
  }

  @Test func `a device that the hub shows under two numbers is out under both`() {
    var master = master()
    let twice = ClientRecord(
      publicID: PublicID(12), key: key(1), name: deviceName("again"), system: "",
      admission: .waiting, presence: .online)
    var actions: [MasterAction] = []
    master.clientRegistered(twice, into: &actions)
    _ = master.approve(PublicID(12), into: &actions)
    actions = []
    _ = master.disapprove(PublicID(12), into: &actions)
    #expect(master.replica.members[alice]?.admission == .disapproved)
    #expect(!actions.contains { if case .giveKey = $0 { true } else { false } })
  }

  @Test(arguments: [UInt32.max, UInt32.max - 1, 1 << 25])
  func `a generation that a hub made up is not believed`(generation: UInt32) {
    var master = Master(epoch: 1)
    let record = ClientRecord(
      publicID: alice, key: key(1), name: deviceName("a"), system: "", generation: generation,
      admission: .waiting, presence: .online)
    var actions: [MasterAction] = []
    master.hubConnected(clients: [record], now: .zero, into: &actions)
    #expect(actions.first == .useKey(1))
  }

  @Test func `a hub that gives an approved device's key another number cannot put the device out`()
  {
    var master = master()
    let forged = ClientRecord(
      publicID: PublicID(99), key: key(1), name: deviceName("forged"), system: "",
      admission: .approved, presence: .online)
    var actions: [MasterAction] = []
    master.clientRegistered(forged, into: &actions)
    #expect(master.replica.members[alice]?.admission == .approved)
    #expect(master.replica.members[PublicID(99)] == nil)
    let table = ClientTable(
      records: [member(1, .approved)], highest: PublicID(99), isLast: true)
    #expect(actions == [.tell(table)])
    #expect(!actions.contains { if case .keep = $0 { true } else { false } })
  }
}
