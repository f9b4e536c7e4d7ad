import Core
import Protocol
import Testing

/// Words at the edges of what a hub or a member may say: what is beyond them reaches nobody else.
struct EdgeWordsTests {
  /// A master that has approved alice.
  private func master(_ settings: Master.Settings = Master.Settings()) -> Master {
    var master = Master(epoch: 1, settings: settings)
    var actions: [MasterAction] = []
    master.hubConnected(clients: [client(1, .waiting)], now: .zero, into: &actions)
    _ = master.approve(alice, into: &actions)
    return master
  }

  private func propose(
    _ change: ProposedChange, _ counter: UInt64, to master: inout Master, now: Instant = .zero
  ) -> [MasterAction] {
    var actions: [MasterAction] = []
    let transfer = TransferID(incarnation: 7, counter: counter)
    master.proposed(
      Proposal(transfer: transfer, oldest: counter, body: []), change, from: alice, now: now,
      into: &actions)
    return actions
  }

  private func verdict(_ actions: [MasterAction]) -> Rejection? {
    for case .publish(let ordered) in actions {
      if case .renamed(_, _, let rejection) = ordered.change { return rejection }
    }
    return nil
  }

  @Test func `directories that a rename implies count as those of new entries do`() throws {
    var settings = Master.Settings()
    settings.limits.memberPathBytes = 300
    var master = master(settings)
    _ = propose(
      .add([entry(1, "d", .directory), entry(2, "d/f")], reclaims: false), 1, to: &master)
    // By itself no longer than allowed, but each of its directories is as long as what is above.
    let deep = (0..<20).map { "p\($0)" }.joined(separator: "/")
    #expect(verdict(propose(.rename(id(1), to: path(deep)), 2, to: &master)) == .shareFull)
    #expect(verdict(propose(.rename(id(1), to: path("e")), 3, to: &master)) == nil)
    #expect(master.replica.list.visible(at: path("e/f")) != nil)
  }

  @Test func `whoever changes what is there again and again waits for himself`() throws {
    var settings = Master.Settings()
    settings.changedPerSecond = 20
    var master = master(settings)
    var counter: UInt64 = 0
    func isTaken(_ change: ProposedChange, _ now: Instant) -> Bool {
      let transfer = TransferID(incarnation: 7, counter: counter + 1)
      var actions: [MasterAction] = []
      _ = master.received(
        change.message(transfer, oldest: transfer.counter), from: alice, now: now, into: &actions)
      let isTaken = actions.contains { if case .publish = $0 { true } else { false } }
      if isTaken { counter += 1 }
      return isTaken
    }
    // What is new is free: the limits of the list bound it.
    let many = (0..<200).map { entry($0 + 10, "d/\($0)") }
    #expect(isTaken(.add([entry(1, "d", .directory)] + many, reclaims: false), .zero))
    let again = (0..<10).map { entry($0 + 10, "d/\($0)", version: $0 + 5_000) }
    #expect(isTaken(.add(again, reclaims: false), .zero))
    #expect(isTaken(.add(again, reclaims: false), .zero))
    for refused in [
      .add(again, reclaims: false), .rename(id(1), to: path("e")), .remove(id(10)),
      .add([entry(9_000, "new")], reclaims: false),
    ] as [ProposedChange] {
      #expect(!isTaken(refused, .zero))
    }
    // A rename costs little of what lies below, and what it was too much is waited for then.
    for name in ["e", "f", "g"] {
      #expect(isTaken(.rename(id(1), to: path(name)), .seconds(1)))
    }
    #expect(!isTaken(.remove(id(10)), .seconds(1)))
    #expect(isTaken(.remove(id(10)), .seconds(2)))
    let names = (0..<9).count { isTaken(.name(deviceName("n\($0)")), .seconds(60)) }
    #expect(names == 2)
  }

  @Test func `no member takes the master's number`() {
    var member = Member(isMaster: false, incarnation: 7)
    var actions: [MemberAction] = []
    member.received(
      .clientRegisterAck(ClientRegisterAck(publicID: .master, admission: .approved)), now: .zero,
      into: &actions)
    #expect(actions.contains { if case .protocolError = $0 { true } else { false } })
    #expect(member.publicID == nil)
  }

  @Test func `numbers that no hub may give are not heard of`() {
    var master = Master(epoch: 1)
    var actions: [MasterAction] = []
    func made(_ number: UInt32) -> ClientRecord {
      ClientRecord(
        publicID: PublicID(number), key: key(3), name: deviceName("x"), system: "",
        admission: .waiting, presence: .online)
    }
    master.hubConnected(clients: [made(ClientTable.numbers)], now: .zero, into: &actions)
    master.clientRegistered(made(.max), into: &actions)
    #expect(master.clients.isEmpty)
    master.clientRegistered(made(ClientTable.numbers - 1), into: &actions)
    #expect(master.clients.count == 1)
  }

  @Test func `what a hub makes up of presence is kept up to a bound`() {
    var member = Member(isMaster: false, incarnation: 7)
    var actions: [MemberAction] = []
    for part in 0..<20 as Range<UInt32> {
      let made = (0..<4_096 as Range<UInt32>).map { PublicID(1 + part * 4_096 + $0) }
      member.received(.online(made), now: .zero, into: &actions)
    }
    #expect(member.presences.count == 65_536)
  }

  @Test func `the hub's word of a later key is believed once`() {
    var master = master()
    var actions: [MasterAction] = []
    func says(_ generation: UInt32) {
      master.hubConnected(
        clients: [
          ClientRecord(
            publicID: alice, key: key(1), name: deviceName("device 1"), system: "",
            generation: generation, admission: .approved, presence: .online)
        ], now: .zero, into: &actions)
    }
    // The first is noticed, and the key is drawn when the hub is asked anew.
    says(50)
    says(50)
    #expect(master.generation == 51)
    says(5_000)
    #expect(master.generation == 51)
  }
}
