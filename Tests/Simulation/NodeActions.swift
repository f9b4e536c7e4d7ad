import Core
import DequeModule
import Protocol

/// What a node does with the actions of its state machines: the rules that the runtime follows too.
extension World {
  /// Lets a node's state machines take one event, then does all that follows, in order.
  func withNode(_ node: Node, _ body: (Node, inout [NodeAction]) -> Void) {
    guard node.isRunning else { return }
    var actions: [NodeAction] = []
    body(node, &actions)
    node.actions.append(contentsOf: actions)
    if node.isPerforming { return }
    node.isPerforming = true
    while failure == nil, node.isRunning, let action = node.actions.popFirst() {
      switch action {
      case .member(let action): perform(action, node)
      case .master(let action): perform(action, node)
      case .fetch(let action): perform(action, node)
      case .line(let action): perform(action, node)
      }
    }
    node.isPerforming = false
    arm(node)
    check(node)
  }

  /// The same for the member alone.
  func withMember(_ node: Node, _ body: (inout Member, inout [MemberAction]) -> Void) {
    withNode(node) { node, actions in
      var own: [MemberAction] = []
      body(&node.member, &own)
      actions += own.map { .member($0) }
    }
  }

  /// The same for the master alone.
  func withMaster(_ node: Node, _ body: (inout Master, inout [MasterAction]) -> Void) {
    withNode(node) { node, actions in
      guard let host = node.master else { return }
      var own: [MasterAction] = []
      body(&host.master, &own)
      host.master.tick(now: now, into: &own)
      actions += own.map { .master($0) }
    }
  }

  /// The same for the fetcher alone.
  func withFetcher(_ node: Node, _ body: (inout ChunkFetcher, inout [FetchAction]) -> Void) {
    withNode(node) { node, actions in
      var own: [FetchAction] = []
      body(&node.fetcher, &own)
      actions += own.map { .fetch($0) }
    }
  }

  private func perform(_ action: MemberAction, _ node: Node) {
    switch action {
    case .register: register(node)
    case .send(let message):
      if case .remove(let id)? = (try? ProposedChange.decode(message))??.change,
        node.isScanning, node.folder[id] != nil, node.member.ownEntry(id) == nil
      {
        fail("node \(node.index) takes back \(id), which it has not looked for yet")
      }
      if let host = node.master {
        propose(message, node, host)
      } else {
        up(message, from: node)
      }
    case .list(let deltas):
      for delta in deltas {
        switch delta {
        case .upserted(let listed):
          if listed.owner == node.member.publicID { fail("node \(node.index) is told of its own") }
          let before = node.view.updateValue(listed, forKey: listed.key)
          if let before { grows(before.entry, into: listed, node) }
        case .removed(let listed):
          node.view[listed.key] = nil
          if sabotages(.nameByID, where: node.view.keys.contains { $0.id == listed.entry.id }) {
            node.view = node.view.filter { $0.key.id != listed.entry.id }
          }
        }
      }
    case .listed:
      let member = node.member
      let shown = member.shown.unordered.filter { member.isVisible($0) }
      node.view = Dictionary(uniqueKeysWithValues: shown.map { ($0.key, $0) })
      checkMembers(node)
    case .standing: break
    case .keep(let step): keep(step, node)
    case .answer(let token, let outcome): answered(token, outcome, node)
    case .refused(let entry, let reason): refused(entry, reason, node)
    case .renameRefused(let entry, let reason): renameRefused(entry, reason, node)
    case .phase(let phase):
      note("node \(node.index) is \(phase)")
      if phase == .live { checkMembers(node) }
      if phase == .disapproved {
        turnLinesOff(node)
        withFetcher(node) { $0.disapproved(into: &$1) }
      }
    case .presence(let publicID, let presence):
      if presence != .online {
        node.lines.asked = node.lines.asked.filter { $0.key.owner != publicID }
      }
      withFetcher(node) { $0.presenceChanged(publicID, presence, now: now, into: &$1) }
    case .decided(let publicID, let isIn):
      if !isIn { checkMembers(node) }
      withFetcher(node) { $0.ownerDecided(publicID, isIn: isIn, into: &$1) }
    case .fault(let fault):
      note("node \(node.index) finds a false list: \(fault)")
      statistics.falseLists += 1
      if options.liars != .hub { fail("node \(node.index) finds a false list: \(fault)") }
    case .openBulk(let tickets):
      guard let session = node.session, let connection = connections[session],
        tickets.down[0] == UInt8(truncatingIfNeeded: connection.tickets)
      else { return }
      events.put(
        .bulkOpens(session, tickets: connection.tickets), at: now + random.span(1...200))
    case .refusedByHub(let refused): note("node \(node.index) refused: \(refused.reason)")
    case .protocolError(let reason): fail("node \(node.index): protocol error: \(reason)")
    }
  }

  /// The copy of the list on the node's disk follows, as the runtime's does.
  private func keep(_ step: ReplicaStep, _ node: Node) {
    switch step.effect {
    case .dropped: node.keptList = nil
    case .changed(let items) where node.keptList != nil:
      // What a snapshot was ahead of came behind it.
      if step.number <= node.keptList!.step { return }
      node.keptList!.groups.append((items, step.reached))
      node.keptList!.step = step.number
    case .changed, .renewed: node.keptList = node.member.snapshot.map { KeptList($0) }
    }
  }

  /// Whoever reads a file that has only grown reads on in what it is now.
  private func grows(_ before: Entry, into listed: ListedEntry, _ node: Node) {
    guard listed.entry.hasGrown(from: before) else { return }
    withFetcher(node) {
      $0.grew(
        Content(before, of: listed.owner), into: Content(listed.entry, of: listed.owner),
        now: now, &$1)
    }
  }

  private func register(_ node: Node) {
    let register = Register(
      key: node.key, incarnation: node.incarnation, reached: node.isMaster ? 0 : node.reached,
      name: node.name, system: "virtual", claim: [],
      proof: [UInt8](repeating: 0, count: Register.proofLength))
    up(node.isMaster ? .masterAppRegister(register) : .clientRegister(register), from: node)
  }

  /// The master's own member: its proposals never see the hub.
  private func propose(_ message: Message, _ node: Node, _ host: MasterHost) {
    guard message.proposal != nil else {
      return fail("the master's member sends \(message.opcode)")
    }
    honestWord.note(message, of: node.index)
    withMaster(node) { _ = $0.received(message, from: .master, now: now, into: &$1) }
  }

  private func perform(_ action: FetchAction, _ node: Node) {
    switch action {
    case .recall: fail("node \(node.index) looks at a disk that it does not have")
    case .request(let request):
      up(.requestChunk(request), from: node)
      node.lines.note(asked: request, by: nil, now: now)
      if node.usesLines {
        withLines(node) { $0.wanted(request.owner, now: now, into: &$1) }
      }
    case .requestDirectly(let request, let id):
      if node.lines.open[id] != request.owner {
        fail("node \(node.index) asks \(request.owner) by line \(id), which it does not have")
      }
      statistics.lines.requests += 1
      node.lines.note(asked: request, by: id, now: now)
      send(.requestChunk(request), by: id, from: node)
    case .reply(let token, let slices):
      guard let read = node.reads.removeValue(forKey: token) else {
        return fail("read \(token) of node \(node.index) is answered twice")
      }
      if options.sabotage == .answerTwice, sabotages(.answerTwice) {
        node.actions.append(.fetch(action))
      }
      if now > read.deadline { fail("read \(token) of node \(node.index) is answered late") }
      if read.isOfLiar { return }
      statistics.verifiedReads += 1
      if !contents.matches(slices, read.content, offset: read.offset, length: read.length) {
        fail("read \(token) of node \(node.index) returns wrong bytes")
      }
    case .fail(let token, let reason):
      guard let read = node.reads.removeValue(forKey: token) else {
        return fail("read \(token) of node \(node.index) is answered twice")
      }
      note("read \(token) of node \(node.index) fails: \(reason)")
      statistics.failedReads += 1
      if now > read.deadline { fail("read \(token) of node \(node.index) fails late") }
      // A liar may say what it likes about its own.
      if read.isOfLiar { return }
      // One that fails at once is the kernel's second try behind a read that reached its deadline.
      // A master that was set back may know nothing any more of whose file it is.
      let isForgotten =
        masterWasSetBack
        && node.member.replica.list[EntryKey(read.content.owner, read.content.entry)] == nil
      if reason == .timedOut, read.began > lastFault + .seconds(5), now > read.began, !isForgotten {
        fail("read \(token) of node \(node.index) timed out, though nothing went wrong")
      }
      if isReadingAll || read.isProbe {
        fail("read \(token) of node \(node.index) fails at rest: \(reason)")
      }
    }
  }

  private func answered(_ token: WaitToken, _ outcome: ChangeOutcome, _ node: Node) {
    guard let wait = node.waits.removeValue(forKey: token) else {
      return fail("wait \(token) of node \(node.index) is answered twice")
    }
    note("node \(node.index) wait \(token): \(outcome)")
    if now > wait.deadline { fail("wait \(token) of node \(node.index) is answered late") }
    if outcome == .acked { statistics.acks += 1 }
    if wait.isProbe, outcome == .timedOut || outcome == .masterAway {
      fail("wait \(token) of node \(node.index) is \(outcome), though nothing went wrong")
    }
    if outcome == .acked, let entry = node.folder[wait.entry], entry == wait.state,
      !oracle.wasOrdered(entry)
    {
      fail("node \(node.index) has an ack for \(text(entry.path)), which the journal lacks")
    }
  }
}
