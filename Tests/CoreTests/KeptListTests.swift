import Core
import Protocol
import Simulation
import Testing

/// What a member shows of the list, and when: all of what it knows, or nothing.
struct KeptListTests {
  /// A member, and a master that answers its questions.
  private struct Pair {
    var member = Member(isMaster: false, incarnation: 7)
    var author: Author
    /// What others' entries look like to whoever was told of them.
    var view: [EntryKey: ListedEntry] = [:]
    /// How many times something of the list was told.
    var steps = 0
    var asked: ListQuestion?

    init(_ author: Author) { self.author = author }

    @discardableResult
    mutating func act(_ body: (inout Member, inout [MemberAction]) -> Void) -> [MemberAction] {
      var actions: [MemberAction] = []
      body(&member, &actions)
      for action in actions {
        switch action {
        case .list(let deltas):
          steps += 1
          for delta in deltas {
            switch delta {
            case .upserted(let listed): view[listed.key] = listed
            case .removed(let listed): view[listed.key] = nil
            }
          }
        case .listed:
          steps += 1
          let shown = member.shown.unordered.filter { member.isVisible($0) }
          view = Dictionary(uniqueKeysWithValues: shown.map { ($0.key, $0) })
        case .send(.askFiles(let question)): asked = question
        default: break
        }
      }
      return actions
    }

    @discardableResult
    mutating func hear(_ message: Message) -> [MemberAction] {
      act { $0.hear(message, now: .zero, into: &$1) }
    }

    mutating func register() {
      hear(.clientRegisterAck(ClientRegisterAck(publicID: alice, admission: .approved)))
      hear(.online([.master]))
    }

    /// The master answers the last question. Returns: what the member did; nil where it asked
    /// nothing.
    mutating func answer() -> [MemberAction]? {
      guard let question = asked else { return nil }
      asked = nil
      let page = author.log.page(
        after: question.cursor, isConfirmed: true, for: alice, of: author.replica)
      return hear(.filesPage(page))
    }

    var isComplete: Bool { Array(view.values).sorted(by: before) == author.replica.list.sorted }

    private func before(_ a: ListedEntry, _ b: ListedEntry) -> Bool { a.entry.id < b.entry.id }
  }

  /// A list of bob's that takes several pages.
  private func longList(_ numbers: ClosedRange<UInt64>) -> Author {
    var author = Author()
    author.order(.approved(member(1, .approved)), by: .master)
    author.order(.approved(member(2, .approved)), by: .master)
    for number in numbers { author.add(longEntry(number), by: bob) }
    return author
  }

  private func longEntry(_ number: UInt64) -> Entry {
    entry(number, "\(number)-" + String(repeating: "l", count: 200))
  }

  /// A replica as a process kept that has seen all of `author`.
  private func kept(_ author: Author) throws -> KeptReplica {
    var kept = KeptReplica(of: alice, hash: SimulatedHash.hash)
    for member in author.replica.members.values { kept.take(.member(member)) }
    for listed in author.replica.list.sorted { kept.take(.entry(listed)) }
    try kept.reach(
      ListQuestion(
        cursor: ListCursor(order: author.replica.order, offset: 0, began: 0),
        mark: author.replica.mark))
    return kept
  }

  @Test func `the first list shows when its last page is there`() {
    var pair = Pair(longList(1...1_000))
    pair.register()
    var pages = 0
    while pair.asked != nil {
      #expect(pair.view.isEmpty && pair.member.standing == .missing)
      _ = pair.answer()
      pages += 1
    }
    #expect(pages > 2 && pair.steps == 1)
    #expect(pair.isComplete && pair.member.standing == .complete && pair.member.phase == .live)
  }

  @Test func `an empty list is complete too`() {
    var pair = Pair(Author())
    pair.register()
    let actions = pair.answer() ?? []
    #expect(actions.contains(.standing(.complete)) && pair.view.isEmpty)
  }

  @Test func `what is caught up with shows as one step`() {
    var pair = Pair(longList(1...1_000))
    pair.register()
    while pair.asked != nil { _ = pair.answer() }
    let before = pair.view
    pair.act { $0.linkLost(into: &$1) }
    for number in 1...900 as ClosedRange<UInt64> {
      pair.author.order(.removed(id(number)), by: bob)
    }
    for number in 2_001...3_000 as ClosedRange<UInt64> {
      pair.author.add(longEntry(number), by: bob)
    }
    pair.steps = 0
    pair.register()
    var pages = 0
    while pair.asked != nil {
      #expect(pair.view == before)
      _ = pair.answer()
      pages += 1
    }
    #expect(pages > 2 && pair.steps == 1 && pair.isComplete)
  }

  @Test func `of a list that is taken anew only the difference is told`() {
    var pair = Pair(longList(1...600))
    pair.register()
    while pair.asked != nil { _ = pair.answer() }
    let before = pair.view
    pair.act { $0.linkLost(into: &$1) }
    // A master that knows nothing of the cursor: its list lacks one entry and has another.
    pair.author = longList(2...601)
    pair.author.log = ChangeLog(tombstoneLimit: 0)
    pair.author.log.beginRestored(at: pair.author.replica.order)
    for listed in pair.author.replica.list.sorted {
      pair.author.log.noteRestored(.entry(listed), at: pair.author.replica.order)
    }
    pair.author.order(.removed(id(2)), by: bob)
    pair.author.order(.removed(id(3)), by: bob)
    pair.steps = 0
    pair.register()
    var told: [ListDelta] = []
    while pair.asked != nil {
      #expect(pair.view == before)
      for case .list(let deltas) in pair.answer() ?? [] { told += deltas }
    }
    #expect(pair.steps == 1 && pair.isComplete)
    // Claims are numbered as before but for the one that is new.
    #expect(told.count <= 3 + 600)
  }

  @Test func `what a master that lost its journal takes back shows when it is whole`() {
    var pair = Pair(longList(1...40))
    pair.register()
    while pair.asked != nil { _ = pair.answer() }
    let before = pair.view
    pair.act { $0.linkLost(into: &$1) }
    var author = Author(epoch: 2)
    author.order(.approved(member(1, .approved)), by: .master)
    pair.author = author
    pair.register()
    while pair.asked != nil { _ = pair.answer() }
    #expect(pair.member.phase == .live && pair.view == before)
    var now: Instant = .zero
    for number in 1...30 as ClosedRange<UInt64> {
      now += .milliseconds(400)
      let ordered = pair.author.replica.placed(
        .added([longEntry(number)], rejected: []), from: bob,
        TransferID(incarnation: 0, counter: 0))
      pair.author.order(ordered.change, by: bob)
      let at = now
      pair.act { $0.hear(ordered.message(), now: at, into: &$1) }
      pair.act { $0.tick(now: at, into: &$1) }
      #expect(pair.view == before)
    }
    pair.steps = 0
    let end = now + .seconds(3)
    let actions = pair.act { $0.tick(now: end, into: &$1) }
    #expect(pair.steps == 1 && pair.isComplete && pair.view.count == 30)
    #expect(
      actions.contains { if case .keep(let step) = $0 { step.effect == .renewed } else { false } })
  }

  @Test func `a list that was kept shows at once and its owners are away`() throws {
    let author = longList(1...50)
    var pair = Pair(author)
    let kept = try kept(author)
    let actions = pair.act { $0.restore(kept, now: .zero, into: &$1) }
    #expect(pair.isComplete && pair.steps == 1 && pair.member.standing == .complete)
    #expect(pair.member.presences[bob] == .away)
    #expect(actions.contains(.presence(bob, .away)))
    #expect(actions.last == .standing(.complete))
  }

  @Test func `behind a list that was kept only what follows is asked for`() throws {
    var author = longList(1...50)
    let kept = try kept(author)
    author.order(.removed(id(7)), by: bob)
    author.add(longEntry(90), by: bob)
    var pair = Pair(author)
    pair.act { $0.restore(kept, now: .zero, into: &$1) }
    pair.register()
    #expect(pair.asked?.cursor.order == kept.cursor.order)
    let told = pair.answer()?.compactMap { action -> [ListDelta]? in
      if case .list(let deltas) = action { deltas } else { nil }
    }
    #expect(told?.map(\.count) == [2])
    #expect(pair.isComplete && pair.member.phase == .live)
  }

  @Test
  func `own entries of a list that was kept are not told, and are others' under another number`()
    throws
  {
    var author = longList(1...3)
    author.add(longEntry(10), by: alice)
    var pair = Pair(author)
    let kept = try kept(author)
    pair.act { $0.restore(kept, now: .zero, into: &$1) }
    #expect(pair.view.keys.sorted() == [1, 2, 3].map { EntryKey(bob, id($0)) })
    pair.hear(.clientRegisterAck(ClientRegisterAck(publicID: bob, admission: .approved)))
    #expect(Array(pair.view.keys) == [EntryKey(alice, id(10))])
  }

  @Test func `who is put out hears of it before the list goes, and drops its copy`() throws {
    var pair = Pair(longList(1...50))
    pair.register()
    while pair.asked != nil { _ = pair.answer() }
    let out = pair.author.replica.placed(
      .disapproved(member(1, .disapproved)), from: .master,
      TransferID(incarnation: 0, counter: 0))
    let actions = pair.hear(out.message())
    let standing = try #require(actions.firstIndex(of: .standing(.refused)))
    let list = try #require(
      actions.firstIndex { if case .list = $0 { true } else { false } })
    #expect(standing < list && pair.view.isEmpty)
    #expect(
      actions.contains { if case .keep(let step) = $0 { step.effect == .dropped } else { false } })
    #expect(pair.member.snapshot == nil)
  }

  @Test func `whoever goes takes all entries along in one step`() {
    var pair = Pair(longList(1...3_000))
    pair.register()
    while pair.asked != nil { _ = pair.answer() }
    pair.steps = 0
    pair.hear(.gone([bob]))
    #expect(pair.steps == 1 && pair.view.isEmpty)
    pair.hear(.online([bob]))
    #expect(pair.steps == 2 && pair.isComplete)
  }

  @Test func `a copy that takes every step is the list`() throws {
    var pair = Pair(longList(1...20))
    pair.register()
    var steps: [ReplicaStep] = []
    func note(_ actions: [MemberAction]) {
      for case .keep(let step) in actions { steps.append(step) }
    }
    while pair.asked != nil { note(pair.answer() ?? []) }
    #expect(steps.map(\.effect) == [.renewed])
    let snapshot = try #require(pair.member.snapshot)
    var copy = KeptReplica(of: snapshot.publicID, hash: SimulatedHash.hash)
    for member in snapshot.members { copy.take(.member(member)) }
    for listed in snapshot.list.sorted { copy.take(.entry(listed)) }
    try copy.reach(snapshot.reached)
    let changes: [Change] = [
      .added([longEntry(30), longEntry(31)], rejected: []), .removed(id(4)),
      .renamed(id(5), to: path("elsewhere"), rejection: nil), .named(deviceName("other")),
      .released(bob),
    ]
    steps = []
    for change in changes {
      let ordered = pair.author.replica.placed(
        change, from: bob, TransferID(incarnation: 0, counter: 0))
      pair.author.order(change, by: bob)
      note(pair.hear(ordered.message()))
    }
    #expect(steps.map(\.number) == Array(snapshot.step + 1...snapshot.step + 5))
    for step in steps {
      guard case .changed(let items) = step.effect else { return #expect(Bool(false)) }
      for item in items { copy.take(item) }
      try copy.reach(step.reached)
    }
    #expect(copy.replica.list.sorted == pair.author.replica.list.sorted)
    #expect(copy.replica.members == pair.author.replica.members)
    #expect(copy.replica.order == pair.author.replica.order)
  }
}
