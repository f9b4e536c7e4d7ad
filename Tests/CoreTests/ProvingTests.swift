import Core
import Protocol
import Testing

/// What a member makes of the master's signed word, and of its absence.
struct ProvingTests {
  /// A member with an empty list of epoch 1 that is live, and the master's list.
  private struct Bench {
    var member = Member(isMaster: false, incarnation: 7)
    var list = Replica(order: ListOrder(epoch: 1, seq: 0))
    var now: Instant = .zero
    var asked = ListCursor.start
    var questions = 0
    var beat: UInt64 = 0

    init() {
      hear(.clientRegisterAck(ClientRegisterAck(publicID: alice, admission: .approved)))
      hear(.online([.master]))
      hear(page([], restarts: true))
    }

    @discardableResult
    mutating func act(_ body: (inout Member, Instant, inout [MemberAction]) -> Void)
      -> [MemberAction]
    {
      var actions: [MemberAction] = []
      body(&member, now, &actions)
      for case .send(.askFiles(let question)) in actions {
        asked = question.cursor
        questions += 1
      }
      return actions
    }

    @discardableResult
    mutating func hear(_ message: Message) -> [MemberAction] {
      act { $0.received(message, now: $1, into: &$2) }
    }

    /// The master's answer to the latest question.
    func page(_ items: [PageItem], restarts: Bool = false) -> Message {
      .filesPage(
        FilesPage(
          after: asked, next: ListCursor(order: list.order, offset: 0, began: 0), more: false,
          restarts: restarts,
          body: PageBody(asker: alice, head: list.mark, items: items).encoded()))
    }

    /// The master orders a change of bob's.
    mutating func ordered(_ change: Change, by sender: PublicID = bob, counter: UInt64 = 1)
      -> OrderedChange
    {
      let ordered = list.placed(
        change, from: sender, TransferID(incarnation: 7, counter: counter))
      _ = list.apply(ordered)
      return ordered
    }

    @discardableResult
    mutating func proves(_ order: ListOrder, _ history: History) -> [MemberAction] {
      beat += 1
      let word = head(order, history, beat: beat)
      return act { $0.proven(word, now: $1, into: &$2) }
    }

    @discardableResult
    mutating func tick(at now: Instant) -> [MemberAction] {
      self.now = now
      return act { $0.tick(now: $1, into: &$2) }
    }
  }

  private func shown(_ actions: [MemberAction]) -> [String] {
    actions.flatMap { action -> [String] in
      guard case .list(let deltas) = action else { return [] }
      return deltas.map { delta in
        switch delta {
        case .upserted(let listed): String(decoding: listed.entry.path.bytes, as: UTF8.self)
        case .removed(let listed): "-" + String(decoding: listed.entry.path.bytes, as: UTF8.self)
        }
      }
    }
  }

  private func faults(_ actions: [MemberAction]) -> [ListFault] {
    actions.compactMap { if case .fault(let fault) = $0 { fault } else { nil } }
  }

  private func kept(_ actions: [MemberAction]) -> Bool {
    actions.contains { if case .keep = $0 { true } else { false } }
  }

  @Test func `a change of somebody else shows, and is kept, once the master's word covers it`() {
    var bench = Bench()
    let first = bench.ordered(.added([entry(1, "a")], rejected: []))
    let second = bench.ordered(.added([entry(2, "b")], rejected: []))
    for ordered in [first, second] {
      let actions = bench.hear(ordered.message())
      #expect(shown(actions).isEmpty && !kept(actions))
    }
    #expect(bench.member.replica.list.count == 0)
    let actions = bench.proves(second.order, second.history)
    #expect(shown(actions) == ["a", "b"] && kept(actions) && faults(actions).isEmpty)
  }

  @Test func `the answer to one's own change covers all before it`() {
    var bench = Bench()
    bench.act { $0.share(entry(9, "mine"), now: $1, into: &$2) }
    bench.hear(bench.ordered(.added([entry(1, "a")], rejected: [])).message())
    let answer = bench.ordered(.added([entry(9, "mine")], rejected: []), by: alice)
    let actions = bench.hear(answer.message())
    #expect(shown(actions) == ["a"])
    #expect(bench.member.replica.order == answer.order)
    #expect(bench.member.isAcked(entry(9, "mine").id))
  }

  @Test func `a change that the master did not make is dropped, and found out`() {
    var bench = Bench()
    let real = bench.ordered(.added([entry(1, "a")], rejected: []))
    bench.hear(real.message())
    bench.proves(real.order, real.history)
    // In the place of the master's second change.
    let made = bench.member.replica.placed(
      .removed(entry(1, "a").id), from: bob, TransferID(incarnation: 7, counter: 2))
    #expect(shown(bench.hear(made.message())).isEmpty)
    let second = bench.ordered(.added([entry(2, "b")], rejected: []))
    let before = bench.questions
    let actions = bench.proves(second.order, second.history)
    #expect(faults(actions) == [.forked(seq: 2)] && shown(actions).isEmpty)
    #expect(bench.questions == before + 1)
    let healed = bench.hear(
      bench.page([.entry(bench.list.list[EntryKey(bob, entry(2, "b").id)]!)]))
    #expect(shown(healed) == ["b"] && bench.member.phase == .live)
  }

  @Test func `what no word of the master follows is asked about, and named where it is made up`() {
    var bench = Bench()
    let made = bench.member.replica.placed(
      .added([entry(1, "false")], rejected: []), from: bob,
      TransferID(incarnation: 7, counter: 1))
    bench.hear(made.message())
    #expect(bench.tick(at: .milliseconds(2_900)).isEmpty)
    let before = bench.questions
    let asks = bench.tick(at: .seconds(3))
    #expect(bench.questions == before + 1 && faults(asks).isEmpty)
    let actions = bench.hear(bench.page([]))
    #expect(shown(actions).isEmpty && faults(actions) == [.forked(seq: 1)])
    #expect(bench.member.phase == .live)
  }

  @Test func `a change whose signature was lost on the way shows a little later, and is no fault`()
  {
    var bench = Bench()
    let ordered = bench.ordered(.added([entry(1, "a")], rejected: []))
    bench.hear(ordered.message())
    bench.tick(at: .seconds(3))
    let actions = bench.hear(
      bench.page([.entry(bench.list.list[EntryKey(bob, entry(1, "a").id)]!)]))
    #expect(shown(actions) == ["a"] && faults(actions).isEmpty)
  }

  @Test func `a change that is signed and did not come is asked for, and named`() {
    var bench = Bench()
    let ordered = bench.ordered(.added([entry(1, "a")], rejected: []))
    let before = bench.questions
    let actions = bench.proves(ordered.order, ordered.history)
    #expect(faults(actions) == [.withheld(have: 0, signed: 1)])
    #expect(bench.questions == before + 1)
  }

  @Test func `an old word of the master changes nothing`() {
    var bench = Bench()
    let first = bench.ordered(.added([entry(1, "a")], rejected: []))
    let second = bench.ordered(.added([entry(2, "b")], rejected: []))
    for ordered in [first, second] { bench.hear(ordered.message()) }
    bench.proves(second.order, second.history)
    #expect(bench.proves(first.order, first.history).isEmpty)
    #expect(bench.proves(second.order, second.history).isEmpty)
  }

  @Test func `the age of the list counts from when the question was sent that the master answered`()
  {
    var bench = Bench()
    #expect(bench.member.listAge(now: .seconds(5)) == .seconds(5))
    bench.proves(bench.list.order, bench.list.history)
    bench.now = .seconds(590)
    bench.proves(bench.list.order, bench.list.history)
    let before = bench.questions
    bench.tick(at: .seconds(600))
    #expect(bench.questions == before + 1)
    // It stays live meanwhile, and what comes shows.
    let ordered = bench.ordered(.added([entry(1, "a")], rejected: []))
    bench.hear(ordered.message())
    #expect(shown(bench.proves(ordered.order, ordered.history)) == ["a"])
    bench.now = .seconds(604)
    #expect(bench.member.listAge(now: bench.now) == .seconds(604))
    #expect(faults(bench.hear(bench.page([]))).isEmpty)
    #expect(bench.member.listAge(now: bench.now) == .seconds(4))
    #expect(bench.member.phase == .live)
  }

  @Test func `an answer that knows more than what came shows that something was withheld`() {
    var bench = Bench()
    bench.now = .seconds(599)
    bench.proves(bench.list.order, bench.list.history)
    bench.tick(at: .seconds(600))
    _ = bench.ordered(.added([entry(1, "a")], rejected: []))
    #expect(faults(bench.hear(bench.page([]))) == [.withheld(have: 0, signed: 1)])
  }

  @Test func `a master that is there and says nothing for long is named`() {
    var bench = Bench()
    #expect(faults(bench.tick(at: .seconds(74))).isEmpty)
    let before = bench.questions
    #expect(faults(bench.tick(at: .seconds(75))) == [.silent(.seconds(75))])
    #expect(bench.questions == before + 1)
    bench.hear(.away([.master]))
    #expect(faults(bench.tick(at: .seconds(200))).isEmpty)
  }

  @Test func `what a machine slept through is not held against anybody`() {
    var bench = Bench()
    bench.now = .seconds(600)
    bench.member.slept(.seconds(595))
    #expect(faults(bench.tick(at: .seconds(600))).isEmpty)
    #expect(faults(bench.tick(at: .seconds(670))) == [.silent(.seconds(75))])
  }

  @Test func `a word of the master that is said again is no sign of life`() {
    var bench = Bench()
    bench.now = .seconds(60)
    bench.proves(bench.list.order, bench.list.history)
    let again = head(bench.list.order, bench.list.history, beat: 1)
    #expect(bench.member.lacksProof(of: bench.list.order, now: .seconds(120)))
    bench.now = .seconds(120)
    bench.act { $0.proven(again, now: $1, into: &$2) }
    #expect(faults(bench.tick(at: .seconds(135))) == [.silent(.seconds(75))])
  }
}
