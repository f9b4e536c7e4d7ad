package import Protocol

/// One copy of what the master ordered: the list and the members, and how far it has come.
/// Master and members apply the same changes by the same code, so equal orders mean equal lists.
package struct Replica: Sendable {
  package private(set) var order: ListOrder
  /// The histories of the latest places up to `order`.
  package private(set) var histories: HistoryLine
  package private(set) var list = ShareList()
  package private(set) var members: [PublicID: MemberRecord] = [:]

  private let hash: HistoryHash
  private let historiesKept: Int

  /// A member remembers this many histories: to tell an answer that it gets a second time from a
  /// fork.
  package static let historiesOfMember = 1_024

  /// An empty list. `histories`: places whose histories are remembered.
  package init(order: ListOrder, histories: Int = historiesOfMember, hash: @escaping HistoryHash) {
    self.order = order
    self.hash = hash
    historiesKept = histories
    self.histories = HistoryLine(at: order.seq, .none, limit: histories)
  }

  /// Of the list as it is.
  package var history: History { histories.latest }

  /// How far it has come.
  package var mark: ListMark { ListMark(seq: order.seq, history: history) }

  /// The same place, with nothing in the list and no history.
  package func emptied(at order: ListOrder) -> Replica {
    Replica(order: order, histories: historiesKept, hash: hash)
  }

  /// Whether this change comes next, and was made behind the same changes as this list. `last`: the
  /// latest change that is still to be applied to it.
  package func isContinued(by ordered: OrderedChange, behind last: OrderedChange? = nil) -> Bool {
    ordered.order.follows(last?.order ?? order)
      && ordered.history == hash(ordered.hashed(behind: last?.history ?? history))
  }

  /// Gives a change the next place in the order.
  package func placed(_ change: Change, from sender: PublicID, _ transfer: TransferID)
    -> OrderedChange
  {
    let next = ListOrder(epoch: order.epoch, seq: order.seq + 1)
    let ordered = OrderedChange(order: next, sender: sender, transfer: transfer, change: change)
    return ordered.with(hash(ordered.hashed(behind: history)))
  }

  /// Applies the next change. Requires: `ordered.order` follows `order`.
  /// Returns: what changed in the list, in order.
  package mutating func apply(_ ordered: OrderedChange) -> [ListDelta] {
    precondition(
      ordered.order.follows(order),
      "changes are applied one after the other")
    order = ordered.order
    histories.append(ordered.history)
    var deltas: [ListDelta] = []
    switch ordered.change {
    case .added(let entries, _):
      for entry in entries { add(entry, owner: ordered.sender, into: &deltas) }
    case .removed(let id): list.remove(EntryKey(ordered.sender, id), into: &deltas)
    case .renamed(let id, let path, nil):
      rename(EntryKey(ordered.sender, id), to: path, into: &deltas)
    case .renamed: break
    case .named(let name):
      if ordered.sender == .master {
        // Nobody approves the master: its first name makes its record.
        members[.master] = MemberRecord(
          publicID: .master, name: name, admission: .approved, key: nil)
      } else {
        members[ordered.sender]?.name = name
      }
    case .approved(let member): members[member.publicID] = member
    case .disapproved(let member):
      members[member.publicID] = member
      list.removeAll(ownedBy: member.publicID, into: &deltas)
    case .released(let publicID): list.removeAll(ownedBy: publicID, into: &deltas)
    }
    return deltas
  }

  /// Takes the list of another copy that is at the same place, so that both share what they have.
  package mutating func share(_ other: Replica) {
    precondition(
      order == other.order && history == other.history, "what differs cannot be shared")
    list = other.list
  }

  /// Why the master cannot order a rename; nil if it can.
  package func rejection(
    ofRenaming id: EntryID, to path: SharePath, by owner: PublicID,
    _ limits: ListLimits = ListLimits()
  ) -> Rejection? {
    let key = EntryKey(owner, id)
    guard let listed = list[key] else { return .unknownEntry }
    if path == listed.entry.path { return nil }
    if path.isBelow(listed.entry.path) { return .exists }
    let subtree = list.subtree(of: key)
    let keys = Set(subtree.map(\.key))
    var pathBytes = list.pathBytes(ownedBy: owner)
    let isLonger = path.bytes.count > listed.entry.path.bytes.count
    var above: Set<SharePath> = []
    for one in subtree {
      guard let moved = one.entry.path.moved(from: listed.entry.path, to: path) else {
        return .pathTooLong
      }
      if let reason = limits.rejection(of: moved) { return reason }
      pathBytes += moved.bytes.count - one.entry.path.bytes.count
      // What it lies in counts too, as with a new entry; where nothing gets longer it does already.
      if isLonger {
        var directory = moved.parent
        while let one = directory, above.insert(one).inserted {
          if !list.isAbove(one) { pathBytes += one.bytes.count }
          directory = one.parent
        }
      }
      if isLonger, pathBytes > limits.memberPathBytes { return .shareFull }
      // Such an entry could not be told to anybody.
      if one.entry.kind == .symlink,
        !SymlinkTarget.isContained(one.entry.target, depth: moved.depth)
      {
        return .linkLeadsOut
      }
      // What lies below goes too, and may meet something in a directory that others have there.
      if let reason = list.rejection(of: moved, kind: one.entry.kind, key: one.key) {
        return reason
      }
      // Only what is at the target itself is replaced.
      if one.key != key,
        list.replaced(by: one.key, at: moved).contains(where: { !keys.contains($0) })
      {
        return .exists
      }
    }
    return pathBytes > limits.memberPathBytes ? .shareFull : nil
  }

  private mutating func add(_ entry: Entry, owner: PublicID, into deltas: inout [ListDelta]) {
    let key = EntryKey(owner, entry.id)
    for other in list.replaced(by: key, at: entry.path) { list.remove(other, into: &deltas) }
    let known = list[key]
    let claimed = known?.entry.path == entry.path ? known!.claimed : order.seq
    list.upsert(ListedEntry(entry: entry, owner: owner, claimed: claimed), into: &deltas)
  }

  private mutating func rename(
    _ key: EntryKey, to path: SharePath, into deltas: inout [ListDelta]
  ) {
    guard let top = list[key], top.entry.path != path else { return }
    for other in list.replaced(by: key, at: path) { list.remove(other, into: &deltas) }
    for var listed in list.subtree(of: key) {
      guard let moved = listed.entry.path.moved(from: top.entry.path, to: path) else { continue }
      listed.entry.path = moved
      listed.claimed = order.seq
      list.upsert(listed, into: &deltas)
    }
  }
}

/// Taking the list in pages.
extension Replica {
  /// Sets one thing that a page tells; appends what changed in the list.
  package mutating func take(_ item: PageItem, into deltas: inout [ListDelta]) {
    switch item {
    case .entry(let listed): list.upsert(listed, into: &deltas)
    case .removed(let key): list.remove(key, into: &deltas)
    case .member(let member): members[member.publicID] = member
    }
  }

  /// The same where nobody asks what changed.
  package mutating func take(_ item: PageItem) {
    if case .entry(let listed) = item {
      list.upsert(listed)
    } else {
      var deltas: [ListDelta] = []
      take(item, into: &deltas)
    }
  }

  /// Takes a whole list, where there was none.
  package mutating func take(_ list: ShareList) {
    precondition(self.list.count == 0, "a list is taken whole before anything else")
    self.list = list
  }

  /// Ends a run of pages, or begins an epoch: the replica is now at `order`.
  package mutating func reached(_ order: ListOrder, _ history: History) {
    self.order = order
    histories = HistoryLine(at: order.seq, history, limit: historiesKept)
  }

  /// What is known of the histories before the present place, the last of them that of the place
  /// before it.
  package mutating func remember(earlier: [History]) { histories.prepend(earlier) }
}
