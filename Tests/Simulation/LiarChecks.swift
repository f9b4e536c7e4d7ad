import Core
import Protocol

/// What must hold whatever liars say.
extension World {
  /// The honest node that has a number by the master's list.
  private func honest(_ publicID: PublicID, _ master: Master) -> Node? {
    if publicID == .master { return nodes[0] }
    guard let key = master.replica.members[publicID]?.key else { return nil }
    return nodes.first { $0.key == key }
  }

  /// What is ordered in the name of an honest member it has said itself.
  func checkWord(_ ordered: OrderedChange, _ master: Master) {
    guard options.liars == .members else { return }
    if ordered.transfer.counter > 0, let node = honest(ordered.sender, master),
      !honestWord.has(ordered.change, ordered.transfer, of: node.index)
    {
      fail("node \(node.index) never said what is ordered at \(ordered.order)")
    }
    // Who was put out and let in again at once is GONE for a moment.
    if case .released(let publicID) = ordered.change, let node = honest(publicID, master),
      now > (decidedAt ?? .zero) + .seconds(10),
      let connection = node.session.flatMap({ connections[$0] }), connection.hubIsOpen,
      let since = connection.registeredAt, now > since + .seconds(10)
    {
      fail("node \(node.index) is here, and what it shares was released")
    }
  }

  /// What one member says, another's entries stay as they are.
  func checkUnharmed(
    _ before: [EntryKey: ListedEntry], _ ordered: OrderedChange, _ master: Master
  ) {
    guard isLiar(ordered.sender), ordered.transfer.counter > 0 else { return }
    statistics.liesHeard += 1
    for (key, listed) in before where key.owner != ordered.sender && oracle.entries[key] != listed {
      fail("\(text(listed.entry.path)) of \(key.owner) changed by a word of \(ordered.sender)")
    }
    if case .added(let entries, _) = ordered.change {
      for entry in entries where master.replica.list[EntryKey(ordered.sender, entry.id)] == nil {
        // One of them may have taken the place of another.
        if !entries.contains(where: { $0.path == entry.path && $0.id != entry.id }) {
          fail("\(text(entry.path)) was taken, and is not in the list")
        }
      }
    }
  }

  /// Nobody has more of the list than one may.
  func checkShares(_ master: Master) {
    guard options.liars == .members else { return }
    let limits = LiarLimits.list
    let list = master.replica.list
    for owner in list.owners {
      if list.count(ownedBy: owner) > limits.memberEntries {
        fail("\(owner) has \(list.count(ownedBy: owner)) entries")
      }
      // Of the last that fits, what lies above it is counted once it is there.
      let above = limits.depth * (limits.depth + 1) / 2 * (Limits.name + 1)
      if list.pathBytes(ownedBy: owner) > limits.memberPathBytes + above {
        fail("\(owner) has \(list.pathBytes(ownedBy: owner)) bytes of paths")
      }
    }
    for (owner, kept) in master.ledgerLoads where kept > 2 * Limits.answersKept {
      fail("\(kept) answers are kept for \(owner)")
    }
  }

  /// No limit that is there against liars is in the way of an honest member.
  func checkRefusal(_ reason: Rejection, _ node: Node) {
    switch reason {
    case .listFull, .shareFull, .tooDeep, .tooMuch, .impossible, .outdated, .pathTooLong,
      .linkLeadsOut, .notTheOwner:
      if options.liars != .nobody { fail("node \(node.index) is refused: \(reason)") }
    case .exists, .notADirectory, .isADirectory, .unknownEntry: break
    }
  }

  /// A whole proposal of an honest member is never refused.
  func checkAnswer(_ message: Message, to publicID: PublicID) {
    guard case .changeRefused = message, options.liars != .nobody, !isLiar(publicID) else {
      return
    }
    fail("a proposal of \(publicID) is refused as a whole")
  }

  /// What waits at the hub stays within its limits, after every message.
  func checkLoads() {
    guard options.liars == .members else { return }
    followCongestion()
    guard let hub = hub.hub else { return }
    let settings = LiarLimits.forwarding
    let message = Limits.controlMessage + 64
    var sum = 0
    for (publicID, load) in hub.forwardingLoads {
      sum += load.unansweredBytes.counted
      if load.unanswered > settings.unanswered
        || load.unansweredQuestions > settings.unansweredQuestions
        || load.unansweredBytes.held > max(settings.unansweredBytes, message)
      {
        fail("the master has \(load.unanswered) messages of \(publicID) unanswered")
      }
      if load.unansweredBytes.counted != load.unansweredBytes.held {
        fail("\(load.unansweredBytes) bytes of \(publicID) are counted otherwise than they are")
      }
      if load.waitingBytes > settings.waitingBytes + message {
        fail("\(load.waitingBytes) bytes of \(publicID) wait at the hub")
      }
      if load.names > load.waiting + load.unanswered {
        fail("the hub remembers \(load.names) names of \(publicID)")
      }
    }
    if hub.unansweredBytes != sum || sum > max(settings.unansweredOfAll, message) {
      fail("\(hub.unansweredBytes) bytes are not answered")
    }
    let relay = self.hub.settings.relay
    let leaf = Limits.bulkFrame + BulkFrame.lengthField
    for (session, load) in hub.relayLoads {
      if load.wanted > relay.wantedLimit { fail("session \(session) wants \(load.wanted) leaves") }
      if load.inFlight > relay.limit + leaf {
        fail("\(load.inFlight) bytes of leaves are on their way to session \(session)")
      }
    }
    if hub.sessionCount > connections.count {
      fail("the hub knows \(hub.sessionCount) of \(connections.count) connections")
    }
  }

  /// While liars go on and nothing else is wrong: everybody honest is heard, and can read.
  func probe() {
    guard !liars.isEmpty else { return }
    note("honest members must be heard from here on")
    for liar in liars where random.chance(500) { setListening(liar, false) }
    for node in nodes where node.isRunning && node.member.phase == .live {
      let name = Array("probe-\(node.index)".utf8)
      guard let path = try? SharePath(name) else { return }
      let entry = newEntry(at: path, kind: .file)
      share(entry, node)
      statistics.probes += 1
      wait(for: entry.id, node, isProbe: true)
    }
    readEverything(upTo: 8, isProbe: true)
  }

  /// Once everything has come to rest nothing is left of what liars set going.
  func checkLiarsRest() {
    guard options.liars == .members else { return }
    for case .outByMember(let liar) in (nodes[0].master?.master.restoration.doubts ?? [:]).values
    where isLiar(liar) {
      fail("a member is out by the word of \(liar), which the master never signed")
    }
    withHub { hub, actions in hub.tick(now: now, into: &actions) }
    guard let hub = hub.hub else { return }
    for (publicID, load) in hub.forwardingLoads where load.waiting + load.unanswered > 0 {
      fail("\(load.waiting) messages of \(publicID) wait at rest, \(load.unanswered) unanswered")
    }
    if hub.unansweredBytes > 0 { fail("\(hub.unansweredBytes) bytes are not answered at rest") }
    for (owner, count) in hub.leavesOnTheirWay where !isLiar(owner) {
      fail("\(count) leaves of \(owner) are on their way at rest")
    }
    for (session, load) in hub.relayLoads where !isLiars(session) {
      let owed = load.owed.values.reduce(0, +)
      if load.inFlight != owed || load.wanted > 0 && owed == 0 {
        fail("session \(session) rests with \(load)")
      }
      for owner in load.owed.keys where !isLiars(owner) {
        fail("session \(owner) owes leaves to session \(session) at rest")
      }
    }
  }

  private func isLiars(_ session: SessionID) -> Bool {
    connections[session].map { isLiar($0.peer) } ?? false
  }
}
