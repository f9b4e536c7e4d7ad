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
///
/// Entries lie in compact storage: records name each other by their numbers, and know their path
/// by its place in a tree of names (`PlaceTree`); paths are put together when they are asked for.
/// About 150 bytes for a file with a name of 16; a copy shares what neither side changes.
package struct ShareList: Sendable {
  private(set) var places = PlaceTree()
  private(set) var records = Arena<EntryRecord>()
  private var extras = Arena<EntryExtra>()
  private var byKey = IndexTable()
  private var owned: [PublicID: OwnedEntries] = [:]

  package init() {}

  package var count: Int { records.count }

  package func count(ownedBy owner: PublicID) -> Int { owned[owner]?.count ?? 0 }

  /// Bytes of the paths of `owner`'s entries, and of those above them that nobody had before.
  package func pathBytes(ownedBy owner: PublicID) -> Int { owned[owner]?.pathBytes ?? 0 }

  /// Everybody who has an entry, ascending.
  package var owners: [PublicID] { owned.filter { $0.value.count > 0 }.keys.sorted() }
}

// MARK: - Looking

extension ShareList {
  package subscript(key: EntryKey) -> ListedEntry? { record(of: key).map { listed($0) } }

  /// The entry that shows at `path`.
  package func visible(at path: SharePath) -> ListedEntry? {
    guard let claim = places.place(at: path).map({ places.claim(at: $0) }), claim != noRecord
    else { return nil }
    return listed(claim)
  }

  /// How many entries, of whoever, lie below that of a key.
  func entriesBelow(_ key: EntryKey) -> Int {
    record(of: key).map { places.entries(below: records[$0].place) } ?? 0
  }

  /// Whether something lies somewhere below a path.
  package func isAbove(_ path: SharePath) -> Bool {
    places.place(at: path).map { places.entries(below: $0) > 0 } ?? false
  }

  /// Bytes of the paths above this one below which nothing lies yet, neither in this list nor in
  /// `other`. Complexity: O(depth).
  func impliedBytes(above path: SharePath, beside other: ShareList?) -> Int {
    let known = max(places.reach(of: path), other?.places.reach(of: path) ?? 0)
    var (bytes, end) = (0, -1)
    for (depth, part) in path.parts.enumerated() {
      end += part.count + 1
      if depth >= known, end < path.bytes.count { bytes += end }
    }
    return bytes
  }

  /// Ids of all entries of `owner`, in the order of their ids. Complexity: O(n log n) of them.
  package func ids(ownedBy owner: PublicID) -> [EntryID] {
    recordNumbers(ownedBy: owner).map { records[$0].id }.sorted()
  }

  /// All entries of `owner`, in the order of their ids. Complexity: O(n log n) of them.
  package func entries(ownedBy owner: PublicID) -> [ListedEntry] {
    recordNumbers(ownedBy: owner).map { listed($0) }.sorted { $0.key < $1.key }
  }

  /// Why `entry` of `owner` cannot be taken; nil if it can. Complexity: O(depth).
  package func rejection(of entry: Entry, owner: PublicID) -> Rejection? {
    rejection(of: entry.path, kind: entry.kind, key: EntryKey(owner, entry.id))
  }

  /// Why `key` cannot stand at `path`; nil if it can. A file of the same owner there gives way:
  /// that is a replacement.
  package func rejection(of path: SharePath, kind: EntryKind, key: EntryKey) -> Rejection? {
    var place = PlaceTree.root
    for part in path.parts {
      let claim = places.claim(at: place)
      if claim != noRecord, records[claim].kind != .directory { return .notADirectory }
      guard let next = places.child(of: place, part) else { return nil }
      place = next
    }
    var claim = places.claim(at: place)
    while claim != noRecord {
      let other = records[claim]
      claim = other.nextClaim
      if other.key == key { continue }
      if other.owner == key.owner {
        if other.kind == .directory && kind != .directory { return .isADirectory }
        if other.kind != .directory && kind == .directory { return .exists }
      } else if other.kind != .directory || kind != .directory {
        return .exists
      }
    }
    return kind != .directory && places.entries(below: place) > 0 ? .isADirectory : nil
  }

  /// What of the same owner `key` replaces at its path.
  package func replaced(by key: EntryKey, at path: SharePath) -> [EntryKey] {
    guard let place = places.place(at: path) else { return [] }
    var found: [EntryKey] = []
    var claim = places.claim(at: place)
    while claim != noRecord {
      let other = records[claim]
      if other.owner == key.owner, other.key != key { found.append(other.key) }
      claim = other.nextClaim
    }
    return found
  }

  /// An entry and all entries of its owner below it; a directory before what is in it. Complexity:
  /// O(entries below it).
  package func subtree(of key: EntryKey) -> [ListedEntry] {
    guard let top = record(of: key) else { return [] }
    if records[top].kind != .directory { return [listed(top)] }
    return [listed(top)] + entries(ownedBy: key.owner, belowPlace: records[top].place)
  }

  /// All entries of an owner below a path; a directory before what is in it. Complexity: O(entries
  /// below it).
  func entries(ownedBy owner: PublicID, below path: SharePath) -> [ListedEntry] {
    places.place(at: path).map { entries(ownedBy: owner, belowPlace: $0) } ?? []
  }

  private func entries(ownedBy owner: PublicID, belowPlace place: UInt32) -> [ListedEntry] {
    var found: [ListedEntry] = []
    places.visit(below: place) { place in
      var claim = places.claim(at: place)
      while claim != noRecord {
        if records[claim].owner == owner { found.append(listed(claim)) }
        claim = records[claim].nextClaim
      }
    }
    return found
  }
}

// MARK: - Changing

extension ShareList {
  /// Sets an entry as it is told, whatever else has its path; appends what changed.
  package mutating func upsert(_ listed: ListedEntry, into deltas: inout [ListDelta]) {
    if upsert(listed) { deltas.append(.upserted(listed)) }
  }

  /// The same where nobody asks what changed. Returns: whether anything did.
  @discardableResult
  package mutating func upsert(_ listed: ListedEntry) -> Bool {
    let hash = IndexTable.hash(listed.key)
    if let number = record(of: listed.key, hash) {
      let old = self.listed(number)
      if old == listed { return false }
      setContent(number, to: listed.entry)
      if old.entry.path != listed.entry.path || old.claimed != listed.claimed {
        leave(number)
        records[number].claimed = listed.claimed
        stand(number, at: listed.entry.path)
      }
    } else {
      let number = records.insert(EntryRecord(listed))
      byKey.insert(hash, number)
      setContent(number, to: listed.entry)
      enrol(number)
      stand(number, at: listed.entry.path)
    }
    return true
  }

  /// Takes an entry off; nothing happens where it is not there.
  package mutating func remove(_ key: EntryKey, into deltas: inout [ListDelta]) {
    let hash = IndexTable.hash(key)
    guard let number = record(of: key, hash) else { return }
    deltas.append(.removed(listed(number)))
    leave(number)
    strike(number)
    byKey.remove(hash, number)
    if records[number].extra != noRecord { extras.remove(records[number].extra) }
    records[number].place = noRecord
    records.remove(number)
  }

  /// Takes all entries of `owner` off.
  package mutating func removeAll(ownedBy owner: PublicID, into deltas: inout [ListDelta]) {
    for id in ids(ownedBy: owner) { remove(EntryKey(owner, id), into: &deltas) }
  }

  /// Adds an entry behind all others, in the order of the tree; nothing is found before `index`.
  /// `line`: as of `PlaceTree.enterInOrder`.
  mutating func appendInOrder(_ listed: ListedEntry, line: inout ContiguousArray<UInt32>) {
    let number = records.insert(EntryRecord(listed))
    setContent(number, to: listed.entry)
    enrol(number)
    let path = listed.entry.path
    var pathBytes = path.bytes.count
    let place = places.enterInOrder(path, of: listed.owner, line: &line) { pathBytes += $0 }
    stand(number, at: place, pathBytes)
  }

  /// Finds entries and paths from now on. Returns: false where there is one twice. Complexity:
  /// O(n).
  mutating func index() -> Bool {
    var hashes = ContiguousArray<UInt64>()
    hashes.reserveCapacity(Int(records.end))
    for number in 0..<records.end { hashes.append(IndexTable.hash(records[number].key)) }
    let index = IndexTable(hashes, from: 0) { [records] in records[$0].key == records[$1].key }
    guard let index, places.index() else { return false }
    byKey = index
    return true
  }

  private mutating func setContent(_ number: UInt32, to entry: Entry) {
    records[number].kind = entry.kind
    records[number].version = entry.version
    records[number].size = entry.size
    records[number].modified = entry.modified
    records[number].mode = entry.mode
    if records[number].extra != noRecord { extras.remove(records[number].extra) }
    records[number].extra =
      !entry.target.isEmpty
      ? extras.insert(.target(entry.target))
      : entry.beginning.map { extras.insert(.beginning($0)) } ?? noRecord
  }

  /// Puts a record among the claims of its path.
  private mutating func stand(_ number: UInt32, at path: SharePath) {
    let owner = records[number].owner
    var pathBytes = path.bytes.count
    let place = places.enter(path, of: owner) { pathBytes += $0 }
    stand(number, at: place, pathBytes)
  }

  /// `pathBytes`: what its owner is charged for it.
  private mutating func stand(_ number: UInt32, at place: UInt32, _ pathBytes: Int) {
    owned[records[number].owner]!.pathBytes += pathBytes
    records[number].place = place
    // Kept sorted by (claimed, key): the earliest claim shows.
    var before = noRecord
    var next = places.claim(at: place)
    while next != noRecord, isEarlier(next, than: number) {
      before = next
      next = records[next].nextClaim
    }
    records[number].nextClaim = next
    if before == noRecord {
      places.setClaim(number, at: place)
    } else {
      records[before].nextClaim = number
    }
  }

  private func isEarlier(_ one: UInt32, than other: UInt32) -> Bool {
    let (one, other) = (records[one], records[other])
    return (one.claimed, one.key) < (other.claimed, other.key)
  }

  /// Takes a record from among the claims of its place, and away what held nothing else.
  private mutating func leave(_ number: UInt32) {
    let place = records[number].place
    let next = records[number].nextClaim
    if places.claim(at: place) == number {
      places.setClaim(next, at: place)
    } else {
      var before = places.claim(at: place)
      while records[before].nextClaim != number { before = records[before].nextClaim }
      records[before].nextClaim = next
    }
    owned[records[number].owner]?.pathBytes -= places.pathLength(of: place)
    var repaid: [(bytes: Int, payer: PublicID)] = []
    places.exit(place, of: records[number].owner) { repaid.append(($0, $1)) }
    for one in repaid {
      owned[one.payer]?.pathBytes -= one.bytes
      forget(one.payer)
    }
  }

  /// Counts a record as its owner's.
  private mutating func enrol(_ number: UInt32) {
    let owner = records[number].owner
    let first = owned[owner]?.first ?? noRecord
    records[number].nextOwned = first
    records[number].previousOwned = noRecord
    if first != noRecord { records[first].previousOwned = number }
    owned[owner, default: OwnedEntries()].first = number
    owned[owner]!.count += 1
  }

  private mutating func strike(_ number: UInt32) {
    let record = records[number]
    if record.nextOwned != noRecord {
      records[record.nextOwned].previousOwned = record.previousOwned
    }
    if record.previousOwned != noRecord {
      records[record.previousOwned].nextOwned = record.nextOwned
    } else {
      owned[record.owner]!.first = record.nextOwned
    }
    owned[record.owner]!.count -= 1
    forget(record.owner)
  }

  private mutating func forget(_ owner: PublicID) {
    if let left = owned[owner], left.count == 0, left.pathBytes == 0 { owned[owner] = nil }
  }
}

// MARK: - Records

extension ShareList {
  private func recordNumbers(ownedBy owner: PublicID) -> [UInt32] {
    var found: [UInt32] = []
    var one = owned[owner]?.first ?? noRecord
    while one != noRecord {
      found.append(one)
      one = records[one].nextOwned
    }
    return found
  }

  func record(of key: EntryKey) -> UInt32? { record(of: key, IndexTable.hash(key)) }

  private func record(of key: EntryKey, _ hash: UInt64) -> UInt32? {
    byKey.find(hash) { records[$0].key == key }
  }

  func listed(_ number: UInt32) -> ListedEntry {
    let record = records[number]
    var entry = Entry(
      id: record.id, path: places.path(of: record.place), kind: record.kind,
      version: record.version,
      size: record.size, modified: record.modified, mode: record.mode)
    if record.extra != noRecord {
      switch extras[record.extra] {
      case .target(let target): entry.target = target
      case .beginning(let version): entry.beginning = version
      }
    }
    return ListedEntry(entry: entry, owner: record.owner, claimed: record.claimed)
  }
}

extension EntryRecord {
  /// Not yet anywhere.
  fileprivate init(_ listed: ListedEntry) {
    let entry = listed.entry
    self.init(
      id: entry.id, version: entry.version, size: entry.size, modified: entry.modified,
      claimed: listed.claimed, owner: listed.owner, place: noRecord, extra: noRecord,
      mode: entry.mode, kind: entry.kind)
  }
}
