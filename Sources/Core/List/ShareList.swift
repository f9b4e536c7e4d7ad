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
/// It is one tree of places, in compact storage: records in arenas name each other by their
/// numbers, names lie in one pool, and two tables of numbers find a place by its directory and name
/// and an entry by its key. Paths are put together when they are asked for. About 150 bytes for a
/// file with a name of 16; a copy shares what neither side changes.
package struct ShareList: Sendable {
  private var places = Arena<Place>()
  private var directories = Arena<Directory>()
  private var records = Arena<EntryRecord>()
  private var extras = Arena<EntryExtra>()
  private var names = NamePool()
  private var placesByName = IndexTable()
  private var recordsByKey = IndexTable()
  private var owned: [PublicID: OwnedEntries] = [:]

  private static let root: UInt32 = 0

  package init() {
    _ = places.insert(
      Place(
        parent: noRecord, name: 0, nameLength: 0,
        directory: directories.insert(Directory(payer: .master))))
  }

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
    place(at: path).flatMap { $0.claim == noRecord ? nil : listed($0.claim) }
  }

  /// How many entries, of whoever, lie below that of a key.
  func entriesBelow(_ key: EntryKey) -> Int {
    guard let number = record(of: key) else { return 0 }
    let directory = places[records[number].place].directory
    return directory == noRecord ? 0 : directories[directory].entries
  }

  /// Whether something lies somewhere below a path.
  package func isAbove(_ path: SharePath) -> Bool {
    place(at: path).map { $0.directory != noRecord } ?? false
  }

  /// Bytes of the paths above this one below which nothing lies yet, neither in this list nor in
  /// `other`. Complexity: O(depth).
  func impliedBytes(above path: SharePath, beside other: ShareList?) -> Int {
    let known = max(reach(of: path), other?.reach(of: path) ?? 0)
    var (bytes, end) = (0, -1)
    for (depth, part) in path.parts.enumerated() {
      end += part.count + 1
      if depth >= known, end < path.bytes.count { bytes += end }
    }
    return bytes
  }

  /// How many of a path's parts, from the first on, lead to something that has something below it.
  private func reach(of path: SharePath) -> Int {
    var (place, depth) = (Self.root, 0)
    for part in path.parts {
      guard let next = child(of: place, part), places[next].directory != noRecord else { break }
      (place, depth) = (next, depth + 1)
    }
    return depth
  }

  /// Ids of all entries of `owner`, in the order of their ids. Complexity: O(n log n) of them.
  package func ids(ownedBy owner: PublicID) -> [EntryID] {
    recordNumbers(ownedBy: owner).map { records[$0].id }.sorted()
  }

  /// All entries of `owner`, in the order of their ids. Complexity: O(n log n) of them.
  package func entries(ownedBy owner: PublicID) -> [ListedEntry] {
    recordNumbers(ownedBy: owner).map { listed($0) }.sorted { $0.key < $1.key }
  }

  /// All entries in the order of their keys. Complexity: O(n log n).
  package var sorted: [ListedEntry] { Array(byKey) }

  /// The same, one after the other.
  package var byKey: some Sequence<ListedEntry> {
    // Numbers are moved about, rather than entries.
    (0..<records.end).filter { records[$0].place != noRecord }
      .sorted { records[$0].key < records[$1].key }.lazy.map { listed($0) }
  }

  /// All entries, in an order that depends on what became of the list before.
  package var unordered: some Sequence<ListedEntry> {
    (0..<records.end).lazy.filter { records[$0].place != noRecord }.map { listed($0) }
  }

  /// The entries that `other` has not, in the order of their keys. Complexity: O(n).
  func lacking(in other: ShareList) -> [ListedEntry] {
    (0..<records.end)
      .filter { records[$0].place != noRecord && other.record(of: records[$0].key) == nil }
      .map { listed($0) }.sorted { $0.key < $1.key }
  }

  /// Why `entry` of `owner` cannot be taken; nil if it can. Complexity: O(depth).
  package func rejection(of entry: Entry, owner: PublicID) -> Rejection? {
    rejection(of: entry.path, kind: entry.kind, key: EntryKey(owner, entry.id))
  }

  /// Why `key` cannot stand at `path`; nil if it can. A file of the same owner there gives way:
  /// that is a replacement.
  package func rejection(of path: SharePath, kind: EntryKind, key: EntryKey) -> Rejection? {
    var place = Self.root
    for part in path.parts {
      if place != Self.root, places[place].claim != noRecord,
        records[places[place].claim].kind != .directory
      {
        return .notADirectory
      }
      guard let next = child(of: place, part) else { return nil }
      place = next
    }
    var claim = places[place].claim
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
    return kind != .directory && places[place].directory != noRecord ? .isADirectory : nil
  }

  /// What of the same owner `key` replaces at its path.
  package func replaced(by key: EntryKey, at path: SharePath) -> [EntryKey] {
    guard let place = placeNumber(at: path) else { return [] }
    var found: [EntryKey] = []
    var claim = places[place].claim
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
    var found = [listed(top)]
    if records[top].kind == .directory {
      collect(below: records[top].place, of: key.owner, into: &found)
    }
    return found
  }

  private func collect(below place: UInt32, of owner: PublicID, into found: inout [ListedEntry]) {
    var waiting = [place]
    while let one = waiting.popLast() {
      var child = firstChild(of: one)
      while child != noRecord {
        var claim = places[child].claim
        while claim != noRecord {
          if records[claim].owner == owner { found.append(listed(claim)) }
          claim = records[claim].nextClaim
        }
        if places[child].directory != noRecord { waiting.append(child) }
        child = places[child].next
      }
    }
  }
}

// MARK: - Changing

extension ShareList {
  /// Sets an entry as it is told, whatever else has its path; appends what changed.
  package mutating func upsert(_ listed: ListedEntry, into deltas: inout [ListDelta]) {
    if let number = record(of: listed.key) {
      let old = self.listed(number)
      if old == listed { return }
      setContent(number, to: listed.entry)
      if old.entry.path != listed.entry.path || old.claimed != listed.claimed {
        leave(number)
        records[number].claimed = listed.claimed
        stand(number, at: listed.entry.path)
      }
    } else {
      let number = records.insert(EntryRecord(listed))
      recordsByKey.insert(Self.hash(listed.key), number) { Self.hash(records[$0].key) }
      setContent(number, to: listed.entry)
      enrol(number)
      stand(number, at: listed.entry.path)
    }
    deltas.append(.upserted(listed))
  }

  /// The same where nobody asks what changed.
  mutating func upsert(_ listed: ListedEntry) {
    var deltas: [ListDelta] = []
    upsert(listed, into: &deltas)
  }

  /// Takes an entry off; nothing happens where it is not there.
  package mutating func remove(_ key: EntryKey, into deltas: inout [ListDelta]) {
    guard let number = record(of: key) else { return }
    deltas.append(.removed(listed(number)))
    leave(number)
    strike(number)
    recordsByKey.remove(Self.hash(key), number) { Self.hash(records[$0].key) }
    if records[number].extra != noRecord { extras.remove(records[number].extra) }
    records[number].place = noRecord
    records.remove(number)
  }

  /// Takes all entries of `owner` off.
  package mutating func removeAll(ownedBy owner: PublicID, into deltas: inout [ListDelta]) {
    for id in ids(ownedBy: owner) { remove(EntryKey(owner, id), into: &deltas) }
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
    var place = Self.root
    var end = -1
    for part in path.parts {
      let directory = places[place].directory
      if place != Self.root, directories[directory].entries == 0 {
        directories[directory].payer = owner
        owned[owner]!.pathBytes += end
      }
      directories[directory].entries += 1
      place = child(of: place, part) ?? makePlace(in: place, part)
      end += part.count + 1
      if end < path.bytes.count, places[place].directory == noRecord {
        places[place].directory = directories.insert(Directory(payer: owner))
      }
    }
    owned[owner]!.pathBytes += path.bytes.count
    records[number].place = place
    // Kept sorted by (claimed, key): the earliest claim shows.
    var before = noRecord
    var next = places[place].claim
    while next != noRecord, isEarlier(next, than: number) {
      before = next
      next = records[next].nextClaim
    }
    records[number].nextClaim = next
    if before == noRecord {
      places[place].claim = number
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
    var place = records[number].place
    let next = records[number].nextClaim
    if places[place].claim == number {
      places[place].claim = next
    } else {
      var before = places[place].claim
      while records[before].nextClaim != number { before = records[before].nextClaim }
      records[before].nextClaim = next
    }
    var length = pathLength(of: place)
    owned[records[number].owner]?.pathBytes -= length
    while place != Self.root {
      let parent = places[place].parent
      length -= Int(places[place].nameLength) + 1
      if places[place].claim == noRecord, places[place].directory == noRecord { dropPlace(place) }
      let directory = places[parent].directory
      directories[directory].entries -= 1
      if directories[directory].entries == 0, parent != Self.root {
        let payer = directories[directory].payer
        directories.remove(directory)
        places[parent].directory = noRecord
        owned[payer]?.pathBytes -= length
        forget(payer)
      }
      place = parent
    }
  }

  private mutating func makePlace(in parent: UInt32, _ name: ArraySlice<UInt8>) -> UInt32 {
    let directory = places[parent].directory
    var place = Place(
      parent: parent, name: names.insert(name), nameLength: UInt8(name.count))
    place.previous = directories[directory].last
    let number = places.insert(place)
    if place.previous == noRecord {
      directories[directory].first = number
    } else {
      places[place.previous].next = number
    }
    directories[directory].last = number
    placesByName.insert(Self.hash(parent, name), number) { Self.hash(ofPlace: $0, places, names) }
    return number
  }

  private mutating func dropPlace(_ number: UInt32) {
    let place = places[number]
    let directory = places[place.parent].directory
    if place.previous == noRecord {
      directories[directory].first = place.next
    } else {
      places[place.previous].next = place.next
    }
    if place.next == noRecord {
      directories[directory].last = place.previous
    } else {
      places[place.next].previous = place.previous
    }
    placesByName.remove(Self.hash(ofPlace: number, places, names), number) {
      Self.hash(ofPlace: $0, places, names)
    }
    places.remove(number)
    names.remove(length: Int(place.nameLength))
    if names.isMostlyGarbage { renewNames() }
  }

  /// Makes the pool of names anew, without those that are gone.
  private mutating func renewNames() {
    var renewed = NamePool()
    var waiting = [Self.root]
    while let one = waiting.popLast() {
      var child = firstChild(of: one)
      while child != noRecord {
        places[child].name = renewed.insert(name(of: child))
        if places[child].directory != noRecord { waiting.append(child) }
        child = places[child].next
      }
    }
    names = renewed
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
  /// The place that a path leads to.
  private func place(at path: SharePath) -> Place? { placeNumber(at: path).map { places[$0] } }

  private func placeNumber(at path: SharePath) -> UInt32? {
    var place = Self.root
    for part in path.parts {
      guard let next = child(of: place, part) else { return nil }
      place = next
    }
    return place
  }

  private func child(of place: UInt32, _ name: ArraySlice<UInt8>) -> UInt32? {
    placesByName.find(Self.hash(place, name)) {
      places[$0].parent == place && Int(places[$0].nameLength) == name.count
        && self.name(of: $0) == name
    }
  }

  private func firstChild(of place: UInt32) -> UInt32 {
    let directory = places[place].directory
    return directory == noRecord ? noRecord : directories[directory].first
  }

  private func recordNumbers(ownedBy owner: PublicID) -> [UInt32] {
    var found: [UInt32] = []
    var one = owned[owner]?.first ?? noRecord
    while one != noRecord {
      found.append(one)
      one = records[one].nextOwned
    }
    return found
  }

  func record(of key: EntryKey) -> UInt32? {
    recordsByKey.find(Self.hash(key)) { records[$0].key == key }
  }

  func listed(_ number: UInt32) -> ListedEntry {
    let record = records[number]
    var entry = Entry(
      id: record.id, path: path(of: record.place), kind: record.kind, version: record.version,
      size: record.size, modified: record.modified, mode: record.mode)
    if record.extra != noRecord {
      switch extras[record.extra] {
      case .target(let target): entry.target = target
      case .beginning(let version): entry.beginning = version
      }
    }
    return ListedEntry(entry: entry, owner: record.owner, claimed: record.claimed)
  }

  private func path(of place: UInt32) -> SharePath {
    var bytes = [UInt8](repeating: 0x2f, count: pathLength(of: place))
    var end = bytes.count
    var one = place
    while one != Self.root {
      var from = end - Int(places[one].nameLength)
      let start = from
      for byte in name(of: one) {
        bytes[from] = byte
        from += 1
      }
      end = start - 1
      one = places[one].parent
    }
    return SharePath(unchecked: bytes)
  }

  /// Bytes of the path of a place.
  private func pathLength(of place: UInt32) -> Int {
    var length = -1
    var one = place
    while one != Self.root {
      length += Int(places[one].nameLength) + 1
      one = places[one].parent
    }
    return length
  }

  private func name(of place: UInt32) -> ArraySlice<UInt8> {
    names[places[place].name, Int(places[place].nameLength)]
  }

  private static func hash(
    ofPlace number: UInt32, _ places: Arena<Place>, _ names: NamePool
  ) -> UInt64 {
    let place = places[number]
    return hash(place.parent, names[place.name, Int(place.nameLength)])
  }

  /// Keyed anew in each process, as all hashes are over what peers choose.
  private static func hash(_ parent: UInt32, _ name: ArraySlice<UInt8>) -> UInt64 {
    var hasher = Hasher()
    hasher.combine(parent)
    name.hashBytes(into: &hasher)
    return UInt64(bitPattern: Int64(hasher.finalize()))
  }

  private static func hash(_ key: EntryKey) -> UInt64 {
    UInt64(bitPattern: Int64(key.hashValue))
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
