import Core
import Protocol
import Testing

/// Who may be what and say what.
struct HubTests {
  private static let aClientsWords: [Message] = [
    .addFiles(Proposal(transfer: TransferID(incarnation: 1, counter: 1), oldest: 1, body: [])),
    .removeFile(Proposal(transfer: TransferID(incarnation: 1, counter: 1), oldest: 1, body: [])),
    .renameFile(Proposal(transfer: TransferID(incarnation: 1, counter: 1), oldest: 1, body: [])),
    .updateName(Proposal(transfer: TransferID(incarnation: 1, counter: 1), oldest: 1, body: [])),
    .askFiles(.start),
    .requestChunk(
      ChunkRequest(
        owner: bob, entry: id(1), version: id(2), scale: Limits.leafScale, generation: 0,
        first: 0, count: 1, pastCache: false)),
  ]

  private static let othersWords: [Message] = [
    .filesAdded(
      Ordered(
        order: .none, sender: alice, transfer: TransferID(incarnation: 1, counter: 1), body: [])),
    .approveClient(Decision(order: .none, publicID: alice, body: [])),
    .clientApproved(Decision(order: .none, publicID: alice, body: [])),
    .directed(to: bob, .askFiles(.start)), .forwarded(from: bob, .askFiles(.start)),
    .online([alice]), .serverNotReady(TransferID(incarnation: 1, counter: 1)),
  ]

  @Test(arguments: aClientsWords)
  func `a client that waits is refused every word`(message: Message) {
    var bench = HubBench()
    bench.masterRegisters()
    bench.clientRegisters(1)
    #expect(bench.receives(message, from: 1).refusals == [1: .protocolError])
  }

  @Test(arguments: aClientsWords)
  func `a word sent just before a disapproval is neither passed on nor punished`(
    message: Message
  ) {
    var bench = HubBench.approved(2)
    bench.decides(alice, .disapproved)
    #expect(bench.receives(message, from: 1).isEmpty)
  }

  @Test(arguments: othersWords)
  func `an approved client is refused words that are not a client's`(message: Message) {
    var bench = HubBench.approved(2)
    #expect(bench.receives(message, from: 1).refusals == [1: .protocolError])
  }

  @Test(arguments: aClientsWords + othersWords)
  func `a connection that has not registered is refused every word`(message: Message) {
    var bench = HubBench()
    bench.hub.opened(5, now: .zero)
    #expect(bench.receives(message, from: 5).refusals == [5: .protocolError])
  }

  @Test func `a registration without its proof is refused`() {
    var bench = HubBench()
    #expect(bench.masterRegisters(proofHolds: false).refusals == [100: .badProof])
    #expect(bench.clientRegisters(1, proofHolds: false).refusals == [1: .badProof])
  }

  @Test func `a second master is refused`() {
    var bench = HubBench()
    bench.masterRegisters(200)
    #expect(bench.masterRegisters(201, session: 7).refusals == [7: .notTheMaster])
  }

  @Test func `the master's key is no client's`() {
    var bench = HubBench()
    bench.masterRegisters(200)
    #expect(bench.clientRegisters(200, session: 7).refusals == [7: .protocolError])
  }

  @Test func `a connection registers once`() {
    var bench = HubBench()
    bench.clientRegisters(1)
    let again = bench.act {
      $0.clientRegisters(register(1), proofHolds: true, session: 1, now: $1, into: &$2)
    }
    #expect(again.refusals == [1: .protocolError])
  }

  @Test func `a connection that does not register in time is closed`() {
    var bench = HubBench()
    bench.hub.opened(5, now: .zero)
    #expect(bench.hub.nextDeadline == .seconds(10))
    let actions = bench.act { hub, _, actions in hub.tick(now: .seconds(10), into: &actions) }
    #expect(actions.refusals == [5: .protocolError])
  }

  @Test func `the same key gets the same public id`() {
    var bench = HubBench.approved(2)
    bench.act { $0.closed(1, now: $1, into: &$2) }
    let ack = ClientRegisterAck(publicID: alice, admission: .approved, master: key(200))
    let actions = bench.clientRegisters(1, session: 11)
    #expect(actions.messages(to: 11).first == .clientRegisterAck(ack))
  }

  @Test func `what was persisted outlives the hub`() {
    var bench = HubBench()
    var actions = bench.masterRegisters()
    actions += bench.clientRegisters(1)
    actions += bench.decides(alice, .approved)
    bench.restarts(keeping: actions)
    #expect(bench.masterRegisters(201, session: 7).refusals == [7: .notTheMaster])
    let ack = ClientRegisterAck(publicID: alice, admission: .approved, master: key(200))
    #expect(bench.clientRegisters(1).messages(to: 1).first == .clientRegisterAck(ack))
    let next = bench.clientRegisters(9).messages(to: 9).first
    #expect(
      next
        == .clientRegisterAck(
          ClientRegisterAck(publicID: bob, admission: .waiting, master: key(200))))
  }

  @Test func `another process with the same key displaces the first`() {
    var bench = HubBench.approved(2)
    let actions = bench.clientRegisters(1, session: 11, incarnation: 2)
    #expect(actions.refusals == [1: .displaced])
  }

  @Test func `a registration that was long on its way displaces nobody`() {
    var bench = HubBench.approved(1)
    bench.hub.opened(11, now: .seconds(1))
    bench.now = .seconds(2)
    bench.clientRegisters(1, session: 12, incarnation: 3)
    let late = bench.act {
      $0.clientRegisters(
        register(1, incarnation: 2), proofHolds: true, session: 11, now: $1, into: &$2)
    }
    #expect(late.refusals == [11: .displaced])
    #expect(late.count == 1)
  }

  @Test func `the same process that comes back is not displaced`() {
    var bench = HubBench.approved(2)
    let actions = bench.clientRegisters(1, session: 11, incarnation: 1)
    #expect(actions.refusals.isEmpty)
    #expect(actions.contains(.close(1, nil)))
  }

  @Test func `the others hear AWAY and ONLINE of who takes its own place`() {
    var bench = HubBench.approved(2)
    let heard = bench.clientRegisters(1, session: 11).messages(to: 2)
    #expect(heard == [.away([alice]), .online([alice])])
  }

  @Test func `a lost client is away and after the grace gone`() {
    var bench = HubBench.approved(2)
    let lost = bench.act { $0.closed(1, now: $1, into: &$2) }
    #expect(lost.messages(to: 2) == [.away([alice])])
    #expect(lost.contains(.closeBulk(1)))
    let later = bench.act { hub, _, actions in hub.tick(now: .seconds(120), into: &actions) }
    #expect(later.messages(to: 2) == [.gone([alice])])
  }

  @Test func `who says LEAVE is gone at once`() {
    var bench = HubBench.approved(2)
    let actions = bench.act { hub, _, actions in hub.leaves(1, into: &actions) }
    #expect(actions.messages(to: 2) == [.gone([alice])])
    #expect(actions.contains(.close(1, nil)))
  }

  @Test func `LEAVE before registering only ends the connection`() {
    var bench = HubBench()
    bench.hub.opened(5, now: .zero)
    let actions = bench.act { hub, _, actions in hub.leaves(5, into: &actions) }
    #expect(actions == [.close(5, nil)])
  }

  @Test func `who waits hears nothing of the others`() {
    var bench = HubBench.approved(1)
    var actions = bench.clientRegisters(2)
    #expect(actions.messages(to: 2).count == 1)
    actions = bench.receives(Self.othersWords[0], from: 100)
    actions += bench.act { $0.closed(1, now: $1, into: &$2) }
    actions += bench.clientRegisters(1, session: 11)
    #expect(actions.messages(to: 2).isEmpty)
  }

  @Test func `an approval opens the bulk streams and tells who is where`() {
    var bench = HubBench()
    bench.masterRegisters()
    bench.clientRegisters(1)
    let actions = bench.decides(alice, .approved)
    #expect(actions.contains(.issueTickets(1)))
    #expect(actions.messages(to: 1).contains(.online([.master, alice])))
  }

  @Test func `a disapproval ends the bulk streams`() {
    var bench = HubBench.approved(2)
    #expect(bench.decides(alice, .disapproved).contains(.closeBulk(1)))
  }

  @Test func `a change is passed on with its sender's true id`() {
    var bench = HubBench.approved(2)
    let actions = bench.receives(Self.aClientsWords[0], from: 1)
    #expect(actions.messages(to: 100) == [.forwarded(from: alice, Self.aClientsWords[0])])
  }

  @Test func `with the master away a change is answered and a question is not`() {
    var bench = HubBench.approved(2)
    bench.act { $0.closed(100, now: $1, into: &$2) }
    let transfer = TransferID(incarnation: 1, counter: 1)
    #expect(
      bench.receives(Self.aClientsWords[0], from: 1).messages(to: 1) == [
        .serverNotReady(transfer)
      ])
    #expect(bench.receives(.askFiles(.start), from: 1).isEmpty)
  }

  @Test func `a master that returns before its loss was seen is announced anew`() {
    var bench = HubBench.approved(1)
    let heard = bench.masterRegisters(200, session: 101).messages(to: 1)
    #expect(heard == [.away([.master]), .online([.master])])
  }
}
