import Core
import Protocol

/// What `ModelList` is to do, done plainly: dictionaries of whole paths.
///
/// A path may have several claims: directories of several owners merge, and while a replica catches
/// up page by page an entry may still stand where another has moved to. The earliest claim shows.
struct ModelList: Sendable {
  private var entries: [EntryKey: ListedEntry] = [:]
  private var claims: [SharePath: Claims] = [:]
  /// What lies somewhere below a path.
  private var descendants: [SharePath: Below] = [:]
  private var owned: [PublicID: Owned] = [:]

  init() {}

  var count: Int { entries.count }

  subscript(key: EntryKey) -> ListedEntry? { entries[key] }

  /// The entry that shows at `path`.
  func visible(at path: SharePath) -> ListedEntry? {
    claims[path].flatMap { entries[$0.first] }
  }

  func count(ownedBy owner: PublicID) -> Int { owned[owner]?.ids.count ?? 0 }

  /// Bytes of the paths of `owner`'s entries, and of those above them that nobody had before.
  func pathBytes(ownedBy owner: PublicID) -> Int { owned[owner]?.pathBytes ?? 0 }

  /// Whether something lies somewhere below a path.
  func isAbove(_ path: SharePath) -> Bool { descendants[path] != nil }

  /// Ids of all entries of `owner`, in the order of their ids. Complexity: O(n log n) of them.
  func ids(ownedBy owner: PublicID) -> [EntryID] { (owned[owner]?.ids ?? []).sorted() }

  /// All entries of `owner`, in the order of their ids. Complexity: O(n log n) of them.
  func entries(ownedBy owner: PublicID) -> [ListedEntry] {
    ids(ownedBy: owner).compactMap { self[EntryKey(owner, $0)] }
  }

  /// All entries in the order of their keys. Complexity: O(n log n).
  var sorted: [ListedEntry] { entries.values.sorted { $0.key < $1.key } }

  /// The entries that `other` has not, in the order of their keys. Complexity: O(n).
  func lacking(in other: ModelList) -> [ListedEntry] {
    entries.values.filter { other[$0.key] == nil }.sorted { $0.key < $1.key }
  }

  /// Everybody who has an entry, ascending.
  var owners: [PublicID] { owned.filter { !$0.value.ids.isEmpty }.keys.sorted() }

  /// Why `entry` of `owner` cannot be taken; nil if it can. Complexity: O(depth).
  func rejection(of entry: Entry, owner: PublicID) -> Rejection? {
    rejection(of: entry.path, kind: entry.kind, key: EntryKey(owner, entry.id))
  }

  /// Why `key` cannot stand at `path`; nil if it can. A file of the same owner there gives way:
  /// that is a replacement.
  func rejection(of path: SharePath, kind: EntryKind, key: EntryKey) -> Rejection? {
    var ancestor = path.parent
    while let one = ancestor {
      if let listed = visible(at: one), listed.entry.kind != .directory { return .notADirectory }
      ancestor = one.parent
    }
    for other in claims[path]?.all ?? [] where other != key {
      guard let listed = entries[other] else { continue }
      let bothDirectories = listed.entry.kind == .directory && kind == .directory
      if listed.owner == key.owner {
        if listed.entry.kind == .directory && kind != .directory { return .isADirectory }
        if listed.entry.kind != .directory && kind == .directory { return .exists }
      } else if !bothDirectories {
        return .exists
      }
    }
    if kind != .directory, isAbove(path) { return .isADirectory }
    return nil
  }

  /// Sets an entry as it is told, whatever else has its path; appends what changed.
  mutating func upsert(_ listed: ListedEntry, into deltas: inout [ListDelta]) {
    if let old = entries[listed.key] {
      if old == listed { return }
      if old.entry.path != listed.entry.path || old.claimed != listed.claimed {
        detach(old)
        attach(listed)
      }
    } else {
      attach(listed)
    }
    entries[listed.key] = listed
    deltas.append(.upserted(listed))
  }

  /// Takes an entry off; nothing happens where it is not there.
  mutating func remove(_ key: EntryKey, into deltas: inout [ListDelta]) {
    guard let old = entries.removeValue(forKey: key) else { return }
    detach(old)
    deltas.append(.removed(old))
  }

  /// Takes all entries of `owner` off.
  mutating func removeAll(ownedBy owner: PublicID, into deltas: inout [ListDelta]) {
    for id in ids(ownedBy: owner) { remove(EntryKey(owner, id), into: &deltas) }
  }

  /// What of the same owner `key` replaces at its path.
  func replaced(by key: EntryKey, at path: SharePath) -> [EntryKey] {
    (claims[path]?.all ?? []).filter { $0 != key && $0.owner == key.owner }
  }

  /// An entry and all entries of its owner below it, in path order.
  func subtree(of key: EntryKey) -> [ListedEntry] {
    guard let top = entries[key] else { return [] }
    if top.entry.kind != .directory { return [top] }
    let below = (owned[top.owner]?.ids ?? []).compactMap { id -> ListedEntry? in
      guard let listed = entries[EntryKey(top.owner, id)],
        listed.entry.path.isBelow(top.entry.path)
      else { return nil }
      return listed
    }
    return [top]
      + below.sorted { $0.entry.path.bytes.lexicographicallyPrecedes($1.entry.path.bytes) }
  }

  private mutating func attach(_ listed: ListedEntry) {
    let key = listed.key
    owned[listed.owner, default: Owned()].ids.insert(key.id)
    owned[listed.owner]!.pathBytes += listed.entry.path.bytes.count
    if let claimed = claims[listed.entry.path] {
      // Kept sorted by (claimed, key): the earliest claim shows.
      var all = claimed.all
      let place = all.firstIndex { other in
        let otherClaimed = entries[other]?.claimed ?? 0
        return (listed.claimed, key) < (otherClaimed, other)
      }
      all.insert(key, at: place ?? all.endIndex)
      claims[listed.entry.path] = Claims(first: all[0], others: Array(all.dropFirst()))
    } else {
      claims[listed.entry.path] = Claims(first: key)
    }
    var ancestor = listed.entry.path.parent
    while let one = ancestor {
      if descendants[one] != nil {
        descendants[one]!.count += 1
      } else {
        descendants[one] = Below(count: 1, first: listed.owner)
        owned[listed.owner]!.pathBytes += one.bytes.count
      }
      ancestor = one.parent
    }
  }

  private mutating func detach(_ listed: ListedEntry) {
    let key = listed.key
    owned[listed.owner]?.ids.remove(key.id)
    owned[listed.owner]?.pathBytes -= listed.entry.path.bytes.count
    let rest = (claims[listed.entry.path]?.all ?? []).filter { $0 != key }
    claims[listed.entry.path] = rest.first.map {
      Claims(first: $0, others: Array(rest.dropFirst()))
    }
    var ancestor = listed.entry.path.parent
    while let one = ancestor {
      if let below = descendants[one], below.count > 1 {
        descendants[one]!.count -= 1
      } else if let below = descendants.removeValue(forKey: one) {
        owned[below.first]?.pathBytes -= one.bytes.count
        forget(below.first)
      }
      ancestor = one.parent
    }
    forget(listed.owner)
  }

  private mutating func forget(_ owner: PublicID) {
    if let left = owned[owner], left.ids.isEmpty, left.pathBytes == 0 { owned[owner] = nil }
  }

  /// What a member has.
  private struct Owned {
    var ids: Set<EntryID> = []
    var pathBytes = 0
  }

  /// What lies below a path that need not be anybody's entry.
  private struct Below {
    var count: Int
    /// Whose entry was there first: the path counts as that member's as long as anything is there.
    let first: PublicID
  }

  /// The claims of one path, earliest first; nearly always one, so that one needs no array.
  private struct Claims {
    var first: EntryKey
    var others: [EntryKey] = []
    var all: [EntryKey] { [first] + others }
  }
}
