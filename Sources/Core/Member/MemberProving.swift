package import Protocol

/// What shows that the hub, or a member through it, is not honest about the list.
package enum ListFault: Equatable, Sendable {
  /// The master has signed changes that were not passed on.
  case withheld(have: UInt64, signed: UInt64)
  /// What the master signed is another list than the one that was passed on: something in it was
  /// made up, changed or left out.
  case forked(seq: UInt64)
  /// The hub says that the master is there, but passes on nothing that it says.
  case silent(Duration)
}

/// What a member's list is worth: how far the master's word covers it, and how old it may be.
extension Member {
  /// The master's signature holds over this head.
  package mutating func proven(
    _ head: HeadProof, now: Instant, into actions: inout [MemberAction]
  ) {
    guard !isMaster, phase == .live else { return }
    if head.order.epoch != replica.order.epoch {
      // A later epoch of which nothing was said, or an earlier one's head once more.
      return catchUp(now: now, into: &actions)
    }
    if head.beat.isLater(than: lastBeat) {
      lastBeat = head.beat
      heardAt = now
    }
    agree(
      on: ListMark(seq: head.order.seq, history: head.history), now: now, into: &actions)
  }

  /// Whether the master's word on this place would tell anything: it costs something to verify.
  package func lacksProof(of order: ListOrder, now: Instant) -> Bool {
    guard !isMaster, phase == .live else { return false }
    return uncovered.last != nil || order.seq > replica.order.seq
      || order.epoch != replica.order.epoch || now - (heardAt ?? .zero) >= settings.heardEvery
  }

  /// How long ago the list was surely this one, or one that was since left behind: no change that
  /// the master made before that is missing. nil: not in this process.
  package func listAge(now: Instant) -> Duration? { provenAt.map { now - $0 } }

  /// A change came that fits behind all that came before.
  mutating func came(
    _ ordered: OrderedChange, now: Instant, into actions: inout [MemberAction]
  ) {
    uncovered.append(ordered, now: now)
    if isMaster || ordered.sender == publicID && ordered.transfer.counter > 0 {
      // The master's own, or marked by it as the answer to this member: its word on all before.
      apply(uncoveredUpTo: ordered.order.seq, now: now, into: &actions)
    } else if uncovered.isTooMuch {
      suspect(now: now, into: &actions)
    }
  }

  /// A change came that does not fit behind what came before: one of the two is not the master's,
  /// or something between them was left out.
  mutating func misfits(
    _ ordered: OrderedChange, now: Instant, into actions: inout [MemberAction]
  ) {
    let last = uncovered.last?.order ?? replica.order
    let seq = ordered.order.seq
    // Of an earlier list, or of long ago: nothing can be told of that.
    let isUnknown = seq <= last.seq && (replica.histories[seq] ?? uncovered.history(at: seq)) == nil
    guard ordered.order.epoch == last.epoch, !isUnknown else {
      return catchUp(now: now, into: &actions)
    }
    let isFork = seq <= last.seq || ordered.order.follows(last)
    doubt(
      isFork ? .forked(seq: seq) : .withheld(have: last.seq, signed: seq), now: now,
      into: &actions)
  }

  /// Time has passed.
  mutating func tickProofs(now: Instant, into actions: inout [MemberAction]) {
    guard let due = proofDue, now >= due else { return }
    if let since = uncovered.since, now - since >= settings.coverWithin {
      return suspect(now: now, into: &actions)
    }
    if let heard = heardAt, now - heard >= settings.silence {
      heardAt = now
      checkAt = now
      actions.append(.fault(.silent(now - heard)))
    }
    if let at = checkAt, now >= at { check(now: now, into: &actions) }
  }

  /// This process did not run for so long: nothing could be heard.
  package mutating func slept(_ time: Duration) { heardAt = heardAt.map { $0 + time } }

  /// When `tickProofs` is due.
  var proofDue: Instant? {
    guard !isMaster, phase == .live, masterIsPresent else { return nil }
    return [
      uncovered.since.map { $0 + settings.coverWithin }, heardAt.map { $0 + settings.silence },
      checkAt,
    ].compactMap { $0 }.min()
  }

  /// The list is complete as of a question that was sent at `asked`.
  mutating func isCurrent(asOf asked: Instant, now: Instant) {
    provenAt = asked
    heardAt = now
    checking = nil
    checkAt = now + settings.checkEvery
  }

  /// A page that answers a question which was only to show how old the list is. Returns: false
  /// where it answers another one.
  mutating func checked(
    _ page: FilesPage, now: Instant, into actions: inout [MemberAction]
  ) throws(DecodingFault) -> Bool {
    guard phase == .live, let (cursor, asked) = checking, page.after == cursor else { return false }
    let body = try PageBody(decoding: page.body)
    guard body.asker == publicID else { throw .invalid("page: it is somebody else's") }
    isCurrent(asOf: asked, now: now)
    if page.restarts {
      catchUp(now: now, into: &actions)
    } else {
      agree(on: body.head, now: now, into: &actions)
    }
    return true
  }

  /// The master's list is this one at this place.
  private mutating func agree(
    on head: ListMark, now: Instant, into actions: inout [MemberAction]
  ) {
    if let known = replica.histories[head.seq] ?? uncovered.history(at: head.seq) {
      guard known == head.history else {
        return doubt(.forked(seq: head.seq), now: now, into: &actions)
      }
      apply(uncoveredUpTo: head.seq, now: now, into: &actions)
    } else if head.seq > replica.order.seq {
      let have = uncovered.last?.order.seq ?? replica.order.seq
      doubt(.withheld(have: have, signed: head.seq), now: now, into: &actions)
    }
  }

  /// Applies what the master's word covers.
  private mutating func apply(
    uncoveredUpTo seq: UInt64, now: Instant, into actions: inout [MemberAction]
  ) {
    // About whom something was decided. What of it holds now counts: the hub's word on where they
    // are does not wait for the master's, and may have gone ahead.
    var decided: Set<PublicID> = []
    while let ordered = uncovered.takeFirst(upTo: seq) {
      setApart(whatChangesBy: ordered)
      // Apart from the call, which would hold a copy of the whole replica while it changes.
      let deltas = replica.apply(ordered)
      if curtain == nil {
        keep(ordered, deltas, into: &actions)
        tell(deltas, into: &actions)
      } else if !deltas.isEmpty {
        extendCurtain(now: now)
      }
      switch ordered.change {
      case .approved(let member), .disapproved(let member): decided.insert(member.publicID)
      default: break
      }
    }
    for member in decided.sorted().compactMap({ replica.members[$0] }) {
      noteDecision(member, now: now, into: &actions)
    }
    cursor = ListCursor(order: replica.order, offset: 0, began: 0)
    mark = replica.mark
  }

  /// No word of the master followed changes that came: it is asked. It may have gone away just
  /// then.
  private mutating func suspect(now: Instant, into actions: inout [MemberAction]) {
    suspected = uncovered.last.map { ($0.order, $0.history) }
    catchUp(now: now, into: &actions)
  }

  /// The list is now as the master told it: whether it knows what was suspected.
  mutating func judgeSuspicion(into actions: inout [MemberAction]) {
    guard let (order, history) = suspected else { return }
    suspected = nil
    guard order.epoch == replica.order.epoch else { return }
    if order.seq > replica.order.seq || replica.histories[order.seq] ?? history != history {
      actions.append(.fault(.forked(seq: order.seq)))
    }
  }

  /// What came is not what the master said: its own word is asked for, from where that went.
  private mutating func doubt(
    _ fault: ListFault, now: Instant, into actions: inout [MemberAction]
  ) {
    actions.append(.fault(fault))
    catchUp(now: now, into: &actions)
  }

  /// Takes what follows the covered list anew.
  mutating func catchUp(now: Instant, into actions: inout [MemberAction]) {
    setPhase(.synchronising, into: &actions)
    ask(now: now, into: &actions)
  }

  /// Asks what the master's list is now; again after a while.
  private mutating func check(now: Instant, into actions: inout [MemberAction]) {
    questions += 1
    let cursor = ListCursor(
      order: replica.order, offset: 0, began: 0,
      question: TransferID(incarnation: incarnation, counter: questions))
    checking = (cursor, now)
    checkAt = now + settings.askAgain
    actions.append(.send(.askFiles(ListQuestion(cursor: cursor, mark: replica.mark))))
  }
}

extension TransferID {
  /// Whether the master signed this one behind the other.
  fileprivate func isLater(than other: TransferID?) -> Bool {
    guard let other else { return true }
    return (incarnation, counter) > (other.incarnation, other.counter)
  }
}
