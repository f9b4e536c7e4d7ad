package import Protocol

/// One copy of what the master ordered: the list and the members, and how far it has come.
/// Master and members apply the same changes by the same code, so equal orders mean equal lists.
package struct Replica: Sendable {
  package private(set) var order: ListOrder
  package private(set) var list = ShareList()
  package private(set) var members: [PublicID: MemberRecord] = [:]

  package init(order: ListOrder) { self.order = order }

  /// Applies the next change. Requires: `ordered.order` follows `order`.
  /// Returns: what changed in the list, in order.
  package mutating func apply(_ ordered: OrderedChange) -> [ListDelta] {
    precondition(
      ordered.order.follows(order),
      "changes are applied one after the other")
    order = ordered.order
    var deltas: [ListDelta] = []
    switch ordered.change {
    case .added(let entries, _):
      for entry in entries { add(entry, owner: ordered.sender, into: &deltas) }
    case .removed(let id):
      if list[id]?.owner == ordered.sender { list.remove(id, into: &deltas) }
    case .renamed(let id, let path, nil):
      rename(id, to: path, into: &deltas)
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

  /// Why the master cannot order a rename; nil if it can.
  package func rejection(ofRenaming id: EntryID, to path: SharePath, by owner: PublicID)
    -> Rejection?
  {
    guard let listed = list[id] else { return .unknownEntry }
    if listed.owner != owner { return .notTheOwner }
    if path == listed.entry.path { return nil }
    if path.isBelow(listed.entry.path) { return .exists }
    for one in list.subtree(of: id) {
      guard let moved = one.entry.path.moved(from: listed.entry.path, to: path) else {
        return .pathTooLong
      }
      // Such an entry could not be told to anybody.
      if one.entry.kind == .symlink,
        !SymlinkTarget.isContained(one.entry.target, depth: moved.depth)
      {
        return .linkLeadsOut
      }
      // What lies below goes too, and may meet something in a directory that others have there.
      let kind = one.entry.kind
      if let reason = list.rejection(of: moved, kind: kind, id: one.entry.id, owner: owner) {
        return reason
      }
    }
    return nil
  }

  private mutating func add(_ entry: Entry, owner: PublicID, into deltas: inout [ListDelta]) {
    for other in list.replaced(by: entry.id, at: entry.path, owner: owner) {
      list.remove(other, into: &deltas)
    }
    let known = list[entry.id]
    let claimed = known?.entry.path == entry.path ? known!.claimed : order.seq
    list.upsert(ListedEntry(entry: entry, owner: owner, claimed: claimed), into: &deltas)
  }

  private mutating func rename(
    _ id: EntryID, to path: SharePath, into deltas: inout [ListDelta]
  ) {
    guard let top = list[id], top.entry.path != path else { return }
    for other in list.replaced(by: id, at: path, owner: top.owner) {
      list.remove(other, into: &deltas)
    }
    for var listed in list.subtree(of: id) {
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
    case .removed(let id): list.remove(id, into: &deltas)
    case .member(let member): members[member.publicID] = member
    }
  }

  /// Ends a run of pages: the replica is now at `order`.
  package mutating func reached(_ order: ListOrder) { self.order = order }
}
