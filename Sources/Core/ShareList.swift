package import Protocol

/// What changed in a list: enough to bring a tree from the state before to the state after.
package enum ListDelta: Equatable, Sendable {
  case upserted(ListedEntry)
  case removed(ListedEntry)
}

/// The union of what all members share: every entry with its owner, and who claimed each path
/// first.
///
/// A path may have several claims: directories of several owners merge, and while a replica catches
/// up page by page an entry may still stand where another has moved to. The earliest claim shows.
package struct ShareList: Sendable {
  private var entries: [EntryID: ListedEntry] = [:]
  private var claims: [SharePath: Claims] = [:]
  /// How many entries lie somewhere below a path.
  private var descendants: [SharePath: Int] = [:]
  private var owned: [PublicID: Set<EntryID>] = [:]

  package init() {}

  package var count: Int { entries.count }

  package subscript(id: EntryID) -> ListedEntry? { entries[id] }

  /// The entry that shows at `path`.
  package func visible(at path: SharePath) -> ListedEntry? {
    claims[path].flatMap { entries[$0.first] }
  }

  package func count(ownedBy owner: PublicID) -> Int { owned[owner]?.count ?? 0 }

  /// Ids of all entries of `owner`, in the order of their ids. Complexity: O(n log n) of them.
  package func ids(ownedBy owner: PublicID) -> [EntryID] { (owned[owner] ?? []).sorted() }

  /// All entries in the order of their ids. Complexity: O(n log n).
  package var sorted: [ListedEntry] { entries.values.sorted { $0.entry.id < $1.entry.id } }

  /// All entries, in no order: none of it may reach an action.
  package var unordered: some Collection<ListedEntry> { entries.values }

  /// The entries that `other` has not, in the order of their ids. Complexity: O(n).
  func lacking(in other: ShareList) -> [ListedEntry] {
    entries.values.filter { other[$0.entry.id] == nil }.sorted { $0.entry.id < $1.entry.id }
  }

  /// Everybody who has an entry, ascending.
  package var owners: [PublicID] { owned.keys.sorted() }

  /// Why `entry` of `owner` cannot be taken; nil if it can. Complexity: O(depth).
  package func rejection(of entry: Entry, owner: PublicID) -> Rejection? {
    if let known = entries[entry.id], known.owner != owner { return .notTheOwner }
    return rejection(of: entry.path, kind: entry.kind, id: entry.id, owner: owner)
  }

  /// Why `id` cannot stand at `path`; nil if it can. An own file there gives way: that is a
  /// replacement.
  package func rejection(
    of path: SharePath, kind: EntryKind, id: EntryID, owner: PublicID
  ) -> Rejection? {
    var ancestor = path.parent
    while let one = ancestor {
      if let listed = visible(at: one), listed.entry.kind != .directory { return .notADirectory }
      ancestor = one.parent
    }
    for other in claims[path]?.all ?? [] where other != id {
      guard let listed = entries[other] else { continue }
      let bothDirectories = listed.entry.kind == .directory && kind == .directory
      if listed.owner == owner {
        if listed.entry.kind == .directory && kind != .directory { return .isADirectory }
        if listed.entry.kind != .directory && kind == .directory { return .exists }
      } else if !bothDirectories {
        return .exists
      }
    }
    if kind != .directory, descendants[path, default: 0] > 0 { return .isADirectory }
    return nil
  }

  /// Sets an entry as it is told, whatever else has its path; appends what changed.
  package mutating func upsert(_ listed: ListedEntry, into deltas: inout [ListDelta]) {
    let id = listed.entry.id
    if let old = entries[id] {
      if old == listed { return }
      if old.entry.path != listed.entry.path || old.owner != listed.owner
        || old.claimed != listed.claimed
      {
        detach(old)
        attach(listed)
      }
    } else {
      attach(listed)
    }
    entries[id] = listed
    deltas.append(.upserted(listed))
  }

  /// Takes an entry off; nothing happens where it is not there.
  package mutating func remove(_ id: EntryID, into deltas: inout [ListDelta]) {
    guard let old = entries.removeValue(forKey: id) else { return }
    detach(old)
    deltas.append(.removed(old))
  }

  /// Takes all entries of `owner` off.
  package mutating func removeAll(ownedBy owner: PublicID, into deltas: inout [ListDelta]) {
    for id in ids(ownedBy: owner) { remove(id, into: &deltas) }
  }

  /// Own non-directories that `entry` replaces at its path.
  func replaced(by id: EntryID, at path: SharePath, owner: PublicID) -> [EntryID] {
    (claims[path]?.all ?? []).filter { other in
      guard other != id, let listed = entries[other] else { return false }
      return listed.owner == owner
    }
  }

  /// `id` and all entries of its owner below it, in path order.
  func subtree(of id: EntryID) -> [ListedEntry] {
    guard let top = entries[id] else { return [] }
    if top.entry.kind != .directory { return [top] }
    let below = (owned[top.owner] ?? []).compactMap { other -> ListedEntry? in
      guard let listed = entries[other], listed.entry.path.isBelow(top.entry.path) else {
        return nil
      }
      return listed
    }
    return [top]
      + below.sorted { $0.entry.path.bytes.lexicographicallyPrecedes($1.entry.path.bytes) }
  }

  private mutating func attach(_ listed: ListedEntry) {
    let id = listed.entry.id
    owned[listed.owner, default: []].insert(id)
    if let claimed = claims[listed.entry.path] {
      // Kept sorted by (claimed, id): the earliest claim shows.
      var all = claimed.all
      let place = all.firstIndex { other in
        let otherClaimed = entries[other]?.claimed ?? 0
        return (listed.claimed, id) < (otherClaimed, other)
      }
      all.insert(id, at: place ?? all.endIndex)
      claims[listed.entry.path] = Claims(first: all[0], others: Array(all.dropFirst()))
    } else {
      claims[listed.entry.path] = Claims(first: id)
    }
    var ancestor = listed.entry.path.parent
    while let one = ancestor {
      descendants[one, default: 0] += 1
      ancestor = one.parent
    }
  }

  private mutating func detach(_ listed: ListedEntry) {
    let id = listed.entry.id
    owned[listed.owner]?.remove(id)
    if owned[listed.owner]?.isEmpty == true { owned[listed.owner] = nil }
    let rest = (claims[listed.entry.path]?.all ?? []).filter { $0 != id }
    claims[listed.entry.path] = rest.first.map {
      Claims(first: $0, others: Array(rest.dropFirst()))
    }
    var ancestor = listed.entry.path.parent
    while let one = ancestor {
      let left = descendants[one, default: 0] - 1
      descendants[one] = left > 0 ? left : nil
      ancestor = one.parent
    }
  }

  /// The claims of one path, earliest first; nearly always one, so that one needs no array.
  private struct Claims {
    var first: EntryID
    var others: [EntryID] = []
    var all: [EntryID] { [first] + others }
  }
}
