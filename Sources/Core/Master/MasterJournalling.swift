package import Protocol

/// A master comes back from its journal, and begins a new epoch with what it has.
extension Master {
  /// Whether a change from the journal comes next, behind the same changes.
  package func isContinued(by ordered: OrderedChange) -> Bool {
    replica.isContinued(by: ordered)
  }

  /// A change from the journal. Requires: `isContinued(by:)`.
  package mutating func restore(_ ordered: OrderedChange) { apply(ordered) }

  /// A part of the journal's snapshot, which was taken of the list at `order` with this history.
  /// Call before any `restore(_: OrderedChange)`.
  package mutating func restore(_ item: PageItem, order: ListOrder, history: History = .none) {
    replica.take(item)
    beginSnapshot(order, history)
    log.noteRestored(item, at: order)
  }

  /// The journal's snapshot was taken of an empty list.
  package mutating func restoreEmpty(order: ListOrder, history: History = .none) {
    beginSnapshot(order, history)
  }

  /// Histories before the snapshot's, the last of them that of the place before it. Call behind its
  /// items.
  package mutating func restore(earlier histories: [History]) {
    replica.remember(earlier: histories)
  }

  /// A kept answer from the journal's snapshot.
  package mutating func restore(answer: OrderedChange) { ledger.record(answer) }

  /// This master's own member has the same list: from now on both share it. Changes that come after
  /// part them again, a little each. Returns: false where one of the two has come further.
  package mutating func share(_ other: Replica) -> Bool {
    guard replica.order == other.order, replica.history == other.history else { return false }
    replica.share(other)
    return true
  }

  /// A journal that lost its end goes on in a new epoch with what is left of it, since the members
  /// may have seen more. Approvals and claims are then taken back as with a journal that is lost
  /// whole.
  package mutating func beginEpoch(_ epoch: UInt64) {
    precondition(epoch != 0, "epoch 0 means 'no list'")
    let order = ListOrder(epoch: epoch, seq: replica.order.seq)
    log = ChangeLog(tombstoneLimit: settings.tombstoneLimit)
    ledger = TransferLedger()
    beginSnapshot(order, .none)
    for publicID in replica.members.keys.sorted() {
      log.noteRestored(.member(replica.members[publicID]!), at: order)
    }
    // In the order of the journal's snapshot: a cursor counts what it has told of it, and may come
    // back to a master that was restored from that.
    for listed in replica.list.inOrder { log.noteRestored(.entry(listed), at: order) }
    rebuilding = Rebuilding()
  }

  /// A snapshot holds everything up to `order`, but not what was removed before.
  private mutating func beginSnapshot(_ order: ListOrder, _ history: History) {
    if replica.order != order || replica.history != history { replica.reached(order, history) }
    log.beginRestored(at: order)
  }
}
