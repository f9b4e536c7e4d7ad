import Protocol

/// How a member takes what it lacks of the list: in pages, of which nothing shows before all have
/// come.
extension Member {
  /// Asks for what follows; again after a while. With the master away nobody would answer: its
  /// ONLINE, which also follows every registration, makes the member ask.
  mutating func ask(now: Instant, into actions: inout [MemberAction]) {
    guard phase == .synchronising, masterIsPresent else {
      askAgainAt = nil
      return
    }
    askAgainAt = now + settings.askAgain
    askedAt = now
    questions += 1
    cursor = ListCursor(
      order: cursor.order, offset: cursor.offset, began: cursor.began,
      question: TransferID(incarnation: incarnation, counter: questions))
    actions.append(.send(.askFiles(ListQuestion(cursor: cursor, mark: mark))))
  }

  mutating func received(
    _ page: FilesPage, now: Instant, into actions: inout [MemberAction]
  ) throws(DecodingFault) {
    if try checked(page, now: now, into: &actions) { return }
    guard phase == .synchronising, page.after == cursor else { return }
    let body = try PageBody(decoding: page.body)
    guard body.asker == publicID else { throw .invalid("page: it is somebody else's") }
    if page.restarts || run == nil { run = PageRun(of: replica, restarts: page.restarts) }
    run!.take(body)
    cursor = page.next
    mark = body.head
    if page.more { return ask(now: now, into: &actions) }
    finishRun(at: page.next.order, body.head.history, now: now, into: &actions)
  }

  /// The last page of a run has come: all of it shows, as one step.
  private mutating func finishRun(
    at order: ListOrder, _ history: History, now: Instant, into actions: inout [MemberAction]
  ) {
    guard let run else { preconditionFailure("a page is of a run") }
    self.run = nil
    setApart(whatChangesBy: run)
    let out = whoIsOut
    let epoch = replica.order.epoch
    var deltas: [ListDelta]?
    if run.isWhole, standing == .complete, replica.order.epoch != order.epoch,
      replica.list.count > 0
    {
      let before = replica
      deltas = run.finish(&replica, at: order, history)
      lowerCurtain(over: before, now: now)
    } else if run.isWhole, standing != .complete, curtain == nil {
      run.replace(&replica, at: order, history)
    } else {
      deltas = run.finish(&replica, at: order, history)
    }
    if run.isWhole { noteOut(out) }
    // A master that was set back may count from an earlier run.
    if epoch != order.epoch { lastBeat = nil }
    if curtain == nil {
      keep(run.told.map { .changed($0) } ?? .renewed, into: &actions)
      if let deltas { tell(deltas, into: &actions) } else { actions.append(.listed) }
    } else {
      extendCurtain(now: now)
    }
    for member in run.members(in: replica) { noteDecision(member, now: now, into: &actions) }
    askAgainAt = nil
    isCurrent(asOf: askedAt ?? now, now: now)
    judgeSuspicion(into: &actions)
    stand(.complete, into: &actions)
    setPhase(.live, into: &actions)
    tellOut(into: &actions)
    reconcile(now: now, into: &actions)
    resend(now: now, into: &actions)
  }
}
