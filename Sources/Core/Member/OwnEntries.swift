import BitCollections
import Protocol

/// One's own entries as they are to be in the list, and how much of that the group knows.
///
/// Most of them are settled: the list has them just as they are here, and all of that was acked. Of
/// such an entry nothing is kept but that this is so, by the number of its record in the list.
/// Whatever is about to change there, and anything that is to be another way here, is set apart
/// first: as a second entry beside the list's, with what was acked of it.
struct OwnEntries: Sendable {
  /// An own entry: as it is, and how much of that the group knows.
  struct Own: Sendable {
    let entry: Entry
    /// Counts the states of this entry.
    let revision: UInt64
    /// The latest revision that was acked; 0 where none was.
    let acked: UInt64
  }

  private struct Progress: Sendable {
    var revision: UInt64
    var acked: UInt64
  }

  /// The revision of whatever is settled, below that of any later state.
  static let settledRevision: UInt64 = 1

  /// What is not settled, as a list of which all is the master's: nobody else sees its owners.
  private var apart = ShareList()
  /// By the numbers of its records.
  private var progress: ContiguousArray<Progress> = []
  /// What is settled, by the numbers of the group's list.
  private var settled = BitSet()
  private var settledCount = 0

  var count: Int { apart.count + settledCount }

  var hasSettled: Bool { settledCount > 0 }

  /// The ids of what is not settled, ascending. Complexity: O(n log n) of them.
  var idsApart: [EntryID] { apart.ids(ownedBy: .master) }

  private func key(_ id: EntryID) -> EntryKey { EntryKey(.master, id) }
}

// MARK: - Looking

extension OwnEntries {
  func entry(_ id: EntryID, in listed: ListedOwn) -> Own? {
    if let number = apart.record(of: key(id)) {
      let state = progress[Int(number)]
      return Own(
        entry: apart.listed(number).entry, revision: state.revision, acked: state.acked)
    }
    guard let number = settledNumber(of: id, in: listed) else { return nil }
    return Own(
      entry: listed.list.listed(number).entry, revision: Self.settledRevision,
      acked: Self.settledRevision)
  }

  func contains(_ id: EntryID, in listed: ListedOwn) -> Bool {
    apart.record(of: key(id)) != nil || settledNumber(of: id, in: listed) != nil
  }

  /// Another own entry than `id` at a path; nil where there is none.
  func other(than id: EntryID, at path: SharePath, in listed: ListedOwn) -> EntryID? {
    if let other = apart.replaced(by: key(id), at: path).first { return other.id }
    guard hasSettled, let owner = listed.owner else { return nil }
    return listed.list.replaced(by: EntryKey(owner, id), at: path)
      .first { settledNumber(of: $0.id, in: listed) != nil }?.id
  }

  /// An entry and all below it; a directory before what is in it. Complexity: O(n log n) of what is
  /// below it.
  func subtree(of id: EntryID, in listed: ListedOwn) -> [Own] {
    guard let top = entry(id, in: listed) else { return [] }
    if top.entry.kind != .directory { return [top] }
    let path = top.entry.path
    var ids = apart.entries(ownedBy: .master, below: path).map(\.entry.id)
    if hasSettled, let owner = listed.owner {
      ids += listed.list.entries(ownedBy: owner, below: path).map(\.entry.id)
        .filter { settledNumber(of: $0, in: listed) != nil }
    }
    let below = ids.compactMap { entry($0, in: listed) }
    return [top]
      + below.sorted { $0.entry.path.bytes.lexicographicallyPrecedes($1.entry.path.bytes) }
  }

  private func settledNumber(of id: EntryID, in listed: ListedOwn) -> UInt32? {
    guard hasSettled, let number = listed.number(of: id), settled.contains(Int(number)) else {
      return nil
    }
    return number
  }
}

// MARK: - Changing

extension OwnEntries {
  /// A new entry, or a new state of one.
  mutating func put(_ entry: Entry, revision: UInt64, acked: UInt64, in listed: ListedOwn) {
    unmark(entry.id, in: listed)
    apart.upsert(ListedEntry(entry: entry, owner: .master, claimed: 0))
    let number = Int(apart.record(of: key(entry.id))!)
    let state = Progress(revision: revision, acked: acked)
    while progress.count <= number { progress.append(state) }
    progress[number] = state
  }

  /// An entry that was not here is as the list has it. Requires: that is there.
  mutating func putSettled(_ id: EntryID, in listed: ListedOwn) {
    mark(listed.number(of: id)!)
  }

  /// As much is acked now. Of what is settled all is.
  mutating func setAcked(_ acked: UInt64, of id: EntryID) {
    if let number = apart.record(of: key(id)) { progress[Int(number)].acked = acked }
  }

  /// Nothing of an entry, or of any, is acked.
  mutating func forgetAcks(of id: EntryID? = nil, in listed: ListedOwn) {
    if let id {
      setApart(id, in: listed)
      setAcked(0, of: id)
    } else {
      setAllApart(in: listed)
      for index in progress.indices { progress[index].acked = 0 }
    }
  }

  /// Takes an entry off; nothing happens where it is not there.
  mutating func remove(_ id: EntryID, in listed: ListedOwn) {
    unmark(id, in: listed)
    removeApart(id)
  }

  /// Moves an entry, and all below it whose path is not too long then. Returns: them and it.
  mutating func move(_ id: EntryID, to path: SharePath, in listed: ListedOwn) -> [EntryID] {
    let moving = subtree(of: id, in: listed)
    guard let old = moving.first?.entry.path else { return [] }
    for one in moving {
      guard let moved = one.entry.path.moved(from: old, to: path) else { continue }
      var entry = one.entry
      entry.path = moved
      put(entry, revision: one.revision, acked: one.acked, in: listed)
    }
    return moving.map(\.entry.id)
  }
}

// MARK: - Settling

extension OwnEntries {
  /// Keeps nothing of its own of an entry that the list has as it is here, where all of it was
  /// acked.
  mutating func settle(_ id: EntryID, in listed: ListedOwn) {
    guard let number = apart.record(of: key(id)),
      progress[Int(number)].acked == progress[Int(number)].revision,
      let there = listed.number(of: id),
      listed.list.listed(there).entry == apart.listed(number).entry
    else { return }
    removeApart(id)
    mark(there)
  }

  /// The list is about to have an entry another way, or not to have it.
  mutating func setApart(_ id: EntryID, in listed: ListedOwn) {
    guard settledNumber(of: id, in: listed) != nil, let own = entry(id, in: listed) else { return }
    put(own.entry, revision: own.revision, acked: own.acked, in: listed)
  }

  /// The same of all of them. Complexity: O(n).
  mutating func setAllApart(in listed: ListedOwn) {
    guard hasSettled, let owner = listed.owner else { return }
    for id in listed.list.ids(ownedBy: owner) { setApart(id, in: listed) }
  }

  private mutating func mark(_ number: UInt32) {
    settled.insert(Int(number))
    settledCount += 1
  }

  private mutating func unmark(_ id: EntryID, in listed: ListedOwn) {
    guard let number = settledNumber(of: id, in: listed) else { return }
    settled.remove(Int(number))
    settledCount -= 1
  }

  private mutating func removeApart(_ id: EntryID) {
    var deltas: [ListDelta] = []
    apart.remove(key(id), into: &deltas)
    if apart.count == 0 { progress = [] }
  }
}

/// What the list has of one member, by the numbers of its records.
struct ListedOwn {
  let list: ShareList
  /// nil: nobody has anything.
  let owner: PublicID?

  func number(of id: EntryID) -> UInt32? { owner.flatMap { list.record(of: EntryKey($0, id)) } }
}
