import Core
import Fuzzer
import Protocol
import Sealing

/// A member whose hub and master say whatever can be decoded, while its own folder does what it
/// wants.
private struct Scene {
  private var member: Member
  private var draw: TestGenerator
  private var now: Duration = .zero
  private var own: [EntryID] = []
  /// What the member asked for last.
  private var question = ListQuestion(cursor: .start, mark: .none)

  init(_ input: [UInt8]) {
    draw = TestGenerator(input: input)
    member = Member(isMaster: false, incarnation: UInt64(draw.below(3)), hash: ListHash.sha256)
  }

  mutating func run() {
    var steps = 0
    while draw.hasInput, steps < 300 {
      steps += 1
      var actions: [MemberAction] = []
      step(&actions)
      for case .send(let message) in actions {
        precondition((try? message.encoded()) != nil, "a member says nothing that it cannot send")
        if case .askFiles(let asked) = message { question = asked }
      }
    }
  }

  private mutating func step(_ actions: inout [MemberAction]) {
    switch draw.below(16) {
    case 0:
      let entry = draw.entry()
      own.append(entry.id)
      member.share(entry, now: now, into: &actions)
    case 1:
      if let id = mine() { member.unshare(id, now: now, into: &actions) }
    case 2:
      if let id = mine() { member.rename(id, to: draw.path(), now: now, into: &actions) }
    case 3: member.linkLost(into: &actions)
    case 4:
      now += .milliseconds(Int64(draw.next() % 100_000))
      member.tick(now: now, into: &actions)
    case 5: _ = member.refusedUnsealed(into: &actions)
    case 6: receive(.clientRegisterAck(registered()), &actions)
    case 7, 8: receive(page(), &actions)
    case 9, 10, 11:
      let ordered = ordered()
      receive(ordered.message(), &actions)
      // Mostly the master's word follows; sometimes on something else.
      if draw.below(4) == 0 { break }
      let (order, history) =
        draw.below(4) == 0 ? (self.order(), draw.history()) : (ordered.order, ordered.history)
      let head = HeadProof(
        order: order, history: history, beat: draw.transfer(), version: 2, signature: [])
      member.proven(head, now: now, into: &actions)
    default: receive(draw.message(draw.pick(Opcode.allCases)), &actions)
    }
  }

  /// As it comes off the wire.
  private mutating func receive(_ made: Message, _ actions: inout [MemberAction]) {
    guard let bytes = try? made.encoded(), let message = try? Message(decoding: bytes) else {
      return
    }
    member.received(message, now: now, into: &actions)
  }

  private mutating func mine() -> EntryID? {
    own.isEmpty ? nil : own[draw.below(own.count)]
  }

  private mutating func someone() -> PublicID { PublicID(UInt32(draw.below(4))) }

  private mutating func registered() -> ClientRegisterAck {
    ClientRegisterAck(
      publicID: someone(), admission: draw.admission(), displaced: false, master: draw.key())
  }

  /// Near the member's own place in the list, or anywhere.
  private mutating func order() -> ListOrder {
    let at = member.replica.order
    switch draw.below(4) {
    case 0: return draw.order()
    case 1: return at
    default: return ListOrder(epoch: at.epoch, seq: at.seq &+ 1)
    }
  }

  private mutating func change() -> Change {
    switch draw.below(8) {
    case 0: .removed(draw.below(2) == 0 ? mine() ?? draw.randomID() : draw.randomID())
    case 1:
      .renamed(
        mine() ?? draw.randomID(), to: draw.path(),
        rejection: draw.below(2) == 0 ? nil : Rejection(rawValue: UInt8(1 + draw.below(8))))
    case 2: .named(draw.deviceName())
    case 3: .approved(draw.memberRecord())
    case 4: .disapproved(draw.memberRecord())
    case 5: .released(someone())
    default:
      .added(
        (0..<draw.below(4)).map { _ in draw.entry() },
        rejected: (0..<draw.below(2)).map { _ in
          RejectedEntry(entry: mine() ?? draw.randomID(), reason: .exists)
        })
    }
  }

  private mutating func ordered() -> OrderedChange {
    // Often the one that comes next, behind the same changes.
    if draw.below(2) == 0, member.replica.order.seq < .max {
      return member.replica.placed(
        change(), from: someone(), TransferID(incarnation: 0, counter: draw.next()))
    }
    return OrderedChange(
      order: order(), sender: someone(),
      transfer: TransferID(incarnation: UInt64(draw.below(3)), counter: draw.next()),
      change: change())
  }

  private mutating func reached() -> ListCursor {
    ListCursor(order: order(), offset: 0, began: 0)
  }

  private mutating func page() -> Message {
    let items = (0..<draw.below(6)).map { _ -> PageItem in
      switch draw.below(4) {
      case 0: .removed(EntryKey(someone(), mine() ?? draw.randomID()))
      case 1: .member(draw.memberRecord())
      default: .entry(ListedEntry(entry: draw.entry(), owner: someone(), claimed: draw.next()))
      }
    }
    let after = draw.below(8) == 0 ? draw.cursor() : question.cursor
    return .filesPage(
      FilesPage(
        after: after, next: draw.below(2) == 0 ? draw.cursor() : reached(),
        more: draw.below(2) == 0, restarts: draw.below(2) == 0,
        body: PageBody(
          asker: draw.below(8) == 0 ? someone() : member.publicID ?? someone(), head: draw.mark(),
          items: items
        ).encoded()))
  }
}

private func fuzzOne(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
  var scene = Scene(input(start, count))
  scene.run()
  return 0
}

fuzz(fuzzOne)
