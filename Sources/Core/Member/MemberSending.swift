import DequeModule
import Protocol

/// How a member's changes reach the master: in order, a window of them at a time, again until
/// answered.
extension Member {
  /// Sends what may be sent now.
  mutating func pump(now: Instant, into actions: inout [MemberAction]) {
    guard phase == .live, masterIsPresent else { return }
    while outbox.sent.count < Limits.transfersInFlight, let change = nextChange() {
      let counter = outbox.send(change)
      send(counter, change, into: &actions)
    }
    resendAt = outbox.sent.isEmpty ? nil : (resendAt ?? now + settings.retry)
  }

  /// Sends all that is unanswered again, with the same transfer ids; then what waits.
  mutating func resend(now: Instant, into actions: inout [MemberAction]) {
    resendAt = nil
    guard phase == .live, masterIsPresent else { return }
    for one in outbox.sent { send(one.counter, one.change, into: &actions) }
    pump(now: now, into: &actions)
  }

  private func send(
    _ counter: UInt64, _ change: Outbox.SentChange, into actions: inout [MemberAction]
  ) {
    let proposed: ProposedChange =
      switch change {
      case .add(let entries, let reclaims):
        .add(entries.compactMap(asSent), reclaims: reclaims)
      case .remove(let id): .remove(id)
      case .rename(let id, let path): .rename(id, to: path)
      case .name(let name): .name(name)
      }
    let transfer = TransferID(incarnation: incarnation, counter: counter)
    actions.append(.send(proposed.message(transfer, oldest: outbox.oldest)))
  }

  /// An entry as it is now, but where it was when it was first sent: the renames since then follow.
  /// nil where it was withdrawn meanwhile; had the first copy its effect, a removal follows.
  private func asSent(_ sent: Outbox.SentEntry) -> Entry? {
    guard var entry = ownEntry(sent.id) else { return nil }
    entry.path = sent.path
    return entry
  }

  /// The next change in line, adds that follow each other gathered into one.
  private mutating func nextChange() -> Outbox.SentChange? {
    var entries: [Outbox.SentEntry] = []
    var bytes = 16
    var reclaims: Bool?
    while let first = outbox.firstWaiting {
      guard case .add(let id) = first else { break }
      guard let known = ownState(of: id),
        known.acked < known.revision || listed(id)?.entry != known.entry
      else {
        // Withdrawn, or the list has it as it is.
        _ = outbox.popWaiting()
        settle(id)
        continue
      }
      let isReclaim = known.acked > 0
      if reclaims ?? isReclaim != isReclaim { break }
      bytes += known.entry.encodedBound
      if entries.count == Limits.entriesPerTransfer || (bytes > Limits.listBody && !entries.isEmpty)
      {
        break
      }
      reclaims = isReclaim
      _ = outbox.popWaiting()
      entries.append(
        Outbox.SentEntry(id: id, revision: known.revision, path: known.entry.path))
    }
    if let reclaims { return .add(entries, reclaims: reclaims) }
    switch outbox.popWaiting() {
    case nil, .add: return nil
    case .remove(let id): return .remove(id)
    case .rename(let id, let path): return .rename(id, to: path)
    case .name(let name): return .name(name)
    }
  }

  /// The master's answer to one of our transfers.
  mutating func answered(
    _ ordered: OrderedChange, now: Instant, into actions: inout [MemberAction]
  ) {
    guard let change = outbox.answered(ordered.transfer.counter) else { return }
    switch (change, ordered.change) {
    case (.add(let entries, _), .added(_, let rejected)):
      let refused = min(entries.count, rejected.count)
      answered.taken += UInt64(entries.count - refused)
      answered.refused += UInt64(refused)
      let reasons = Dictionary(
        rejected.map { ($0.entry, $0.reason) }, uniquingKeysWith: { first, _ in first })
      for one in entries {
        if reasons[one.id] == .tooMuch, hasOwn(one.id) {
          outbox.add(one.id)
        } else if let reason = reasons[one.id] {
          addRefused(one, reason, into: &actions)
        } else if hasOwn(one.id), phase == .live, listed(one.id) == nil {
          // The answer to a second copy: a disapproval or a release came between, and undid the
          // first.
          outbox.add(one.id)
        } else if let known = ownState(of: one.id) {
          own.setAcked(max(known.acked, one.revision), of: one.id)
          // A hub may keep back what a rename behind it has overtaken.
          if known.entry.path != one.path { moved.insert(one.id) }
          finishWaits(for: one.id, .acked, upTo: one.revision, into: &actions)
          keepDisplaced(by: one.id)
          settle(one.id)
        }
      }
    case (.rename(let id, let path), .renamed(_, _, let rejection?)):
      answered.refused += 1
      renameRefused(id, path, rejection, into: &actions)
    case (.rename(let id, _), _):
      answered.taken += 1
      keepDisplaced(by: id)
    default: answered.taken += 1
    }
    announceStrays()
    checkRemains()
    resendAt = outbox.sent.isEmpty ? nil : now + settings.retry
    pump(now: now, into: &actions)
  }

  /// The master takes nothing of one of our transfers.
  mutating func refused(
    _ transfer: TransferID, _ reason: Rejection, now: Instant, into actions: inout [MemberAction]
  ) {
    guard transfer.incarnation == incarnation, let change = outbox.answered(transfer.counter)
    else { return }
    switch change {
    case .add(let entries, _):
      answered.refused += UInt64(entries.count)
      for one in entries { addRefused(one, reason, into: &actions) }
    case .rename(let id, let path):
      answered.refused += 1
      renameRefused(id, path, reason, into: &actions)
      announceStrays()
    case .remove, .name: answered.refused += 1
    }
    checkRemains()
    resendAt = outbox.sent.isEmpty ? nil : now + settings.retry
    pump(now: now, into: &actions)
  }

  /// Adds tell where an entry is now, renames where it went at the time: one that is sent behind
  /// the other may undo it. Once no rename is on its way, what ended elsewhere is announced where
  /// it is.
  private mutating func announceStrays() {
    guard !moved.isEmpty, phase == .live, !outbox.hasRenames else { return }
    for id in moved.sorted() {
      guard let known = ownState(of: id), let listed = listed(id) else { continue }
      if listed.entry.path != known.entry.path { outbox.add(id) } else { settle(id) }
    }
    moved = []
  }

  private mutating func addRefused(
    _ sent: Outbox.SentEntry, _ reason: Rejection, into actions: inout [MemberAction]
  ) {
    // What it took the place of is gone here, but still in the list.
    removeDisplaced(by: sent.id)
    guard let known = ownState(of: sent.id) else { return }
    if known.revision != sent.revision && outbox.isWaitingToAdd(sent.id) { return }
    if known.entry.path != sent.path {
      // It was renamed since, so this is no word on where it is now.
      outbox.add(sent.id)
      return
    }
    own.remove(sent.id, in: listedOwn)
    outbox.withdrawAdd(sent.id)
    if listed(sent.id) != nil { outbox.append(.remove(sent.id)) }
    finishWaits(for: sent.id, .rejected(reason), upTo: .max, into: &actions)
    actions.append(.refused(known.entry, reason))
  }

  private mutating func renameRefused(
    _ id: EntryID, _ path: SharePath, _ reason: Rejection, into actions: inout [MemberAction]
  ) {
    removeDisplaced(by: id)
    guard let known = ownState(of: id), known.entry.path == path else { return }
    if reason == .unknownEntry {
      // The list lost it on the way: it, and what lies below it, is announced anew where it is.
      own.forgetAcks(of: id, in: listedOwn)
      outbox.add(id)
      if known.entry.kind != .directory { return }
      for other in own.subtree(of: id, in: listedOwn)
      where listed(other.entry.id)?.entry != other.entry {
        outbox.add(other.entry.id)
      }
    } else {
      actions.append(.renameRefused(known.entry, reason))
    }
  }

  private mutating func finishWaits(
    for id: EntryID, _ outcome: ChangeOutcome, upTo revision: UInt64,
    into actions: inout [MemberAction]
  ) {
    for token in waits.take(id, upTo: revision) { actions.append(.answer(token, outcome)) }
  }

  /// Forgets what an entry took the place of and the list has no longer.
  mutating func keepDisplaced(by id: EntryID) {
    guard let others = displaced[id] else { return }
    let left = others.filter { listed($0) != nil || outbox.isAdding($0) }
    displaced[id] = left.isEmpty ? nil : left
  }

  /// Has the list drop what an entry took the place of, and did not: it was refused, or is gone.
  mutating func removeDisplaced(by id: EntryID) {
    for other in displaced.removeValue(forKey: id) ?? [] where isRemnant(other) {
      outbox.append(.remove(other))
    }
  }

  /// Whether the list says that something is ours which is not, and nobody has told it yet.
  func isRemnant(_ id: EntryID) -> Bool {
    !hasOwn(id) && listed(id) != nil && !outbox.isRemoving(id)
  }

  /// Once all is answered, as many entries of the list are ours as there are here; whatever led to
  /// more, a refusal in the middle of renames, say, or to fewer, a hub that gave answers in another
  /// order, say, it does not stay.
  private mutating func checkRemains() {
    guard let publicID, phase == .live, outbox.count == 0 else { return }
    for id in own.idsApart { settle(id) }
    guard ownIsWhole else { return }
    let listedCount = replica.list.count(ownedBy: publicID)
    if listedCount < own.count { announceMissing() }
    guard listedCount > own.count else { return }
    let awaited = displaced.reduce(into: Set<EntryID>()) { awaited, one in
      if !hasOwn(one.key) { awaited.formUnion(one.value) }
    }
    if replica.list.count(ownedBy: publicID) > own.count + awaited.count {
      removeRemains(but: awaited)
    }
  }

  /// Tells the master to take off what the list says is ours and is not. `awaited`: what something
  /// takes the place of that is not announced yet. Complexity: O(own entries).
  mutating func removeRemains(but awaited: Set<EntryID> = []) {
    guard let publicID, ownIsWhole else { return }
    for id in replica.list.ids(ownedBy: publicID) where isRemnant(id) && !awaited.contains(id) {
      outbox.append(.remove(id))
    }
  }

  /// Announces what the list does not have. Complexity: O(own entries that it has not as they are).
  private mutating func announceMissing() {
    for id in own.idsApart where listed(id) == nil { outbox.add(id) }
    sortWaitingAdds()
  }

  /// Parents before what lies in them, whatever their ids: the list is told in path order.
  private mutating func sortWaitingAdds() {
    let (own, listed) = (self.own, listedOwn)
    outbox.sortWaitingAdds { own.entry($0, in: listed)?.entry.path.bytes ?? [] }
  }

  /// Compares what is ours with what the list says is ours, and tells the master the difference.
  mutating func reconcile(now: Instant, into actions: inout [MemberAction]) {
    removeRemains()
    displaced = [:]
    for id in own.idsApart {
      guard let known = ownState(of: id) else { continue }
      if listed(id)?.entry == known.entry {
        own.setAcked(known.revision, of: id)
        finishWaits(for: id, .acked, upTo: known.revision, into: &actions)
        outbox.withdrawAdd(id)
        settle(id)
      } else if !outbox.isAdding(id) {
        outbox.add(id)
      }
    }
    sortWaitingAdds()
  }
}
