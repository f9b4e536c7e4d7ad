package import Protocol

/// Where a member stands with its group.
package enum MemberPhase: Equatable, Sendable {
  /// No connection to the hub yet, or lost.
  case disconnected
  /// Connected; the hub has not answered the registration.
  case registering
  /// Known to the hub, not yet approved.
  case waiting
  /// Approved; the list is being taken.
  case synchronising
  /// The list is complete; changes arrive as they are made.
  case live
  /// The master has decided against this client.
  case disapproved
}

/// What became of a change that somebody waits for.
package enum ChangeOutcome: Equatable, Sendable {
  case acked
  case rejected(Rejection)
  case timedOut
  /// Timed out while the master, or the hub, was away.
  case masterAway
}

/// How many changes were taken and refused: entry by entry where they were of entries.
package struct ChangeCounts: Equatable, Sendable {
  package internal(set) var taken: UInt64 = 0
  package internal(set) var refused: UInt64 = 0
}

/// Names one program that waits for a change.
package typealias WaitToken = UInt64

/// What a member wants done.
package enum MemberAction: Equatable, Sendable {
  /// Sign the challenge and send CLIENT_REGISTER or MASTER_APP_REGISTER.
  case register(challenge: [UInt8])
  case send(Message)
  /// Others' entries came, changed or went; one's own are not among them.
  case list([ListDelta])
  /// Others' entries are all that shows of the list now: nobody is told how that came about.
  case listed
  /// What can be shown of the list; behind the entries of a complete one, before those that go with
  /// it.
  case standing(ListStanding)
  /// The replica made a step: for a copy of it.
  case keep(ReplicaStep)
  case answer(WaitToken, ChangeOutcome)
  /// The master did not take an entry of ours: it is no longer announced.
  case refused(Entry, Rejection)
  /// The master did not take a rename: the list has the entry at its old path.
  case renameRefused(Entry, Rejection)
  case phase(MemberPhase)
  case presence(PublicID, Presence)
  /// The master put another member out (false), or let it in.
  case decided(PublicID, isIn: Bool)
  /// What was passed on of the list is not what the master said.
  case fault(ListFault)
  case openBulk(BulkTickets)
  /// The hub said its last word; connecting again is no use where the code says so.
  case refusedByHub(Refused)
  /// The peer broke the protocol: end the connection, with the reason for the log.
  case protocolError(String)
}

/// A member of the group: keeps a replica of the list, tells the master about its own entries until
/// each is acked, and says what changed.
package struct Member: Sendable {
  package struct Settings: Sendable {
    /// How long a change stays unanswered before it is sent again.
    package var retry: Duration = .seconds(3)
    /// How long the list may stay unanswered before it is asked for again.
    package var askAgain: Duration = .seconds(10)
    /// How long nothing must have changed in the list of a master that began anew before it shows:
    /// longer than that master waits for its members.
    package var settleQuiet: Duration = .seconds(3)
    /// How long that may take.
    package var settleLimit: Duration = .seconds(15)
    /// How long a change waits for the master's word on it, which follows at once.
    package var coverWithin: Duration = .seconds(3)
    /// How often the master is asked whether the list is still this one.
    package var checkEvery: Duration = .seconds(600)
    /// How often the master's word is looked at that nothing has changed.
    package var heardEvery: Duration = .seconds(20)
    /// How long nothing is heard of a master that is there: it says something every 30 s.
    package var silence: Duration = .seconds(75)
    package init() {}
  }

  /// Whether this is the master's own member: its proposals go to the master in the same process.
  let isMaster: Bool
  let incarnation: Incarnation
  let settings: Settings
  package internal(set) var phase: MemberPhase
  package internal(set) var publicID: PublicID?
  package internal(set) var replica: Replica
  package internal(set) var presences: [PublicID: Presence] = [:]
  /// Where the hub said last that those are who were put out: gone, for everybody who waits for
  /// them.
  var presencesOfOut: [PublicID: Presence] = [:]
  var own = OwnEntries()
  /// Whether all that the own folder has was shared since this process began: what the list has
  /// beyond it, under this member's name, is taken off only then.
  package private(set) var ownIsWhole: Bool
  var outbox = Outbox()
  var waits = ChangeWaits()
  /// Own changes that the master has answered since the process began.
  package internal(set) var answered = ChangeCounts()
  /// Own entries of which the list still has something, by those that took their place: where that
  /// is refused they are taken off by changes of their own.
  var displaced: [EntryID: [EntryID]] = [:]
  var cursor = ListCursor.start
  /// The place that `cursor` stands on: its own, or in a run of pages the head that the last was
  /// taken from.
  var mark = ListMark.none
  /// How often it has asked for the list.
  var questions: UInt64 = 0
  /// The run of pages that is under way.
  var run: PageRun?
  /// When the latest question of that was sent.
  var askedAt: Instant?
  /// What has come behind the replica, and is not covered by the master's word.
  var uncovered = UncoveredChanges()
  /// The last of such changes that the master is asked about.
  var suspected: (order: ListOrder, history: History)?
  /// When the question was sent whose answer says that the list is this one.
  var provenAt: Instant?
  /// When the master was last heard, by its signature.
  var heardAt: Instant?
  /// The latest of its signatures that was seen, in this epoch: one from before proves nothing.
  var lastBeat: TransferID?
  /// The question that is to show how old the list is, and when it was sent.
  var checking: (cursor: ListCursor, at: Instant)?
  var checkAt: Instant?
  /// What can be shown of the list.
  package internal(set) var standing = ListStanding.missing
  /// What shows in place of the replica, while that is being rebuilt.
  var curtain: Curtain?
  /// Steps of the replica that a copy was told of.
  var replicaSteps: UInt64 = 0
  /// Who was put out by the list that this one took the place of, and is not out by this one: the
  /// master is told, which may have been set back.
  var knownOut: [DeviceKey: MemberRecord] = [:]
  /// The latest revision of any own entry: an entry that comes back does not count anew.
  var lastRevision = OwnEntries.settledRevision
  /// Own entries that were renamed and may have to be announced once all renames are answered.
  var moved: Set<EntryID> = []
  var resendAt: Instant?
  var askAgainAt: Instant?

  /// `hash`: SHA-256.
  package init(
    isMaster: Bool, incarnation: Incarnation, settings: Settings = Settings(),
    ownIsWhole: Bool = true, hash: @escaping HistoryHash
  ) {
    self.ownIsWhole = ownIsWhole
    self.isMaster = isMaster
    self.incarnation = incarnation
    self.settings = settings
    phase = .disconnected
    publicID = isMaster ? .master : nil
    replica = Replica(order: .none, hash: hash)
  }

  /// When `tick` is due.
  package var nextDeadline: Instant? {
    var earliest = resendAt
    func consider(_ instant: Instant) { earliest = min(earliest ?? instant, instant) }
    askAgainAt.map(consider)
    (curtain?.until).map(consider)
    proofDue.map(consider)
    waits.nextDeadline.map(consider)
    return earliest
  }

  /// Changes that the master has not answered.
  package var pendingChanges: Int { outbox.count }

  package var ownCount: Int { own.count }

  /// Whether the master can be reached now.
  package var masterIsPresent: Bool { isMaster || presences[.master] == .online }

  /// The own entry with this id.
  package func ownEntry(_ id: EntryID) -> Entry? { ownState(of: id)?.entry }

  /// What the list says of an own entry.
  func listed(_ id: EntryID) -> ListedEntry? {
    publicID.flatMap { replica.list[EntryKey($0, id)] }
  }

  /// What the list says of all own entries.
  var listedOwn: ListedOwn { ListedOwn(list: replica.list, owner: publicID) }

  func ownState(of id: EntryID) -> OwnEntries.Own? { own.entry(id, in: listedOwn) }

  func hasOwn(_ id: EntryID) -> Bool { own.contains(id, in: listedOwn) }

  /// Whether the latest state of an own entry was acked.
  package func isAcked(_ id: EntryID) -> Bool {
    ownState(of: id).map { $0.acked == $0.revision } ?? false
  }

  /// Entries that show: those of members who left are hidden until the master releases them.
  package func isVisible(_ listed: ListedEntry) -> Bool {
    listed.owner != publicID && presences[listed.owner] != .gone
  }
}

// MARK: - One's own entries

extension Member {
  /// Announces an own entry: a new one, or a new state of one. Returns: false, with the entry taken
  /// back, for one that nobody could take: that is never said to anybody.
  @discardableResult
  package mutating func share(
    _ entry: Entry, now: Instant, into actions: inout [MemberAction]
  ) -> Bool {
    guard entry.fault == nil else {
      unshare(entry.id, now: now, into: &actions)
      actions.append(.refused(entry, .impossible))
      return false
    }
    if let known = ownState(of: entry.id) {
      if known.entry == entry, known.acked == known.revision { return true }
      let revision = known.entry == entry ? known.revision : newRevision()
      own.put(entry, revision: revision, acked: known.acked, in: listedOwn)
    } else if isListed(as: entry) {
      own.putSettled(entry.id, in: listedOwn)
      return true
    } else {
      own.put(entry, revision: newRevision(), acked: 0, in: listedOwn)
    }
    // It replaces an own entry at its path: one change, never a gap.
    let displaced = displace(from: entry.path, by: entry.id, into: &actions)
    outbox.add(entry.id)
    removeDisplaced(displaced, from: entry.path)
    pump(now: now, into: &actions)
    return true
  }

  /// Whether the list has an entry as it is, from an earlier process, and will have it.
  private func isListed(as entry: Entry) -> Bool {
    !ownIsWhole && phase == .live && listed(entry.id)?.entry == entry
      && own.other(than: entry.id, at: entry.path, in: listedOwn) == nil
      && outbox.hasNothing(of: entry.id)
  }

  /// Everything that the own folder has was shared. Call once, where `init` was told that it was
  /// not.
  package mutating func ownBecameWhole(now: Instant, into actions: inout [MemberAction]) {
    ownIsWhole = true
    guard phase == .live else { return }
    removeRemains()
    pump(now: now, into: &actions)
  }

  /// Takes an own entry back; one that was never sent leaves no trace.
  package mutating func unshare(_ id: EntryID, now: Instant, into actions: inout [MemberAction]) {
    if hasOwn(id) {
      own.remove(id, in: listedOwn)
      outbox.withdrawAdd(id)
      if listed(id) != nil || outbox.isAdding(id) { outbox.append(.remove(id)) }
    }
    // What it took the place of goes with it, where nobody was told that it did.
    removeDisplaced(by: id)
    endWaits(for: id, into: &actions)
    pump(now: now, into: &actions)
  }

  /// Renames an own entry and all own entries below it, as one change. An own file at the target is
  /// replaced: by what was not announced yet as soon as it is, or is gone.
  package mutating func rename(
    _ id: EntryID, to path: SharePath, now: Instant, into actions: inout [MemberAction]
  ) {
    guard let top = ownEntry(id) else {
      // It has left the place that it took before.
      removeDisplaced(by: id)
      removeDisplaced(displace(from: path, by: id, into: &actions), from: path)
      return pump(now: now, into: &actions)
    }
    if top.path == path { return }
    let displaced = displace(from: path, by: id, into: &actions)
    let moving = own.move(id, to: path, in: listedOwn)
    moved.formUnion(moving)
    // An entry that the master has never heard of is announced where it is now.
    if listed(id) != nil || outbox.isAdding(id) {
      outbox.append(.rename(id, to: path))
    } else {
      for one in moving {
        outbox.add(one)
        // Nobody hears now that it was where it took another's place.
        if listed(one) == nil, !outbox.isAdding(one) { removeDisplaced(by: one) }
      }
    }
    removeDisplaced(displaced, from: path)
    pump(now: now, into: &actions)
  }

  /// Gives this device another name.
  package mutating func rename(
    device name: DeviceName, now: Instant, into actions: inout [MemberAction]
  ) {
    outbox.append(.name(name))
    pump(now: now, into: &actions)
  }

  /// Answers `token` once the present state of the entry is acked, or rejected, or `deadline` has
  /// passed.
  package mutating func wait(
    for id: EntryID, token: WaitToken, deadline: Instant, into actions: inout [MemberAction]
  ) {
    guard let known = ownState(of: id), known.acked < known.revision else {
      actions.append(.answer(token, .acked))
      return
    }
    waits.add(token, for: id, known.revision, until: deadline)
  }

  /// The program no longer waits; the change itself goes on.
  package mutating func cancel(_ token: WaitToken) { waits.cancel(token) }

  /// Time has passed.
  package mutating func tick(now: Instant, into actions: inout [MemberAction]) {
    let outcome: ChangeOutcome = masterIsPresent && phase == .live ? .timedOut : .masterAway
    for token in waits.takeDue(now: now) { actions.append(.answer(token, outcome)) }
    if let at = resendAt, now >= at { resend(now: now, into: &actions) }
    if let at = askAgainAt, now >= at { ask(now: now, into: &actions) }
    tickCurtain(now: now, into: &actions)
    tickProofs(now: now, into: &actions)
  }

  /// An own entry takes the path of another one: the list drops that by the same change.
  /// Returns: the other one, if any.
  private mutating func displace(
    from path: SharePath, by id: EntryID, into actions: inout [MemberAction]
  ) -> EntryID? {
    guard let other = own.other(than: id, at: path, in: listedOwn) else { return nil }
    own.remove(other, in: listedOwn)
    outbox.withdrawAdd(other)
    endWaits(for: other, into: &actions)
    displaced[id, default: []] += [other] + (displaced.removeValue(forKey: other) ?? [])
    keepDisplaced(by: id)
    return other
  }

  /// The list may have what was displaced somewhere else still: then it is taken off by a change of
  /// its own.
  private mutating func removeDisplaced(_ other: EntryID?, from path: SharePath) {
    if let other, let listed = listed(other), listed.entry.path != path {
      outbox.append(.remove(other))
    }
  }

  /// Nothing is left to wait for: the entry is no longer there.
  private mutating func endWaits(for id: EntryID, into actions: inout [MemberAction]) {
    for token in waits.take(id, upTo: .max) { actions.append(.answer(token, .acked)) }
  }

  private mutating func newRevision() -> UInt64 {
    lastRevision += 1
    return lastRevision
  }
}
