import Protocol

/// One's own entries as they are to be in the list, and how much of that the group knows.
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

  /// As a list of which all is the master's: nobody else sees its owners.
  private var list = ShareList()
  /// By the numbers of the list's records.
  private var progress: ContiguousArray<Progress> = []

  var count: Int { list.count }

  /// All ids, ascending. Complexity: O(n log n).
  var ids: [EntryID] { list.ids(ownedBy: .master) }

  subscript(id: EntryID) -> Own? {
    guard let number = list.record(of: key(id)) else { return nil }
    let state = progress[Int(number)]
    return Own(entry: list.listed(number).entry, revision: state.revision, acked: state.acked)
  }

  func contains(_ id: EntryID) -> Bool { list.record(of: key(id)) != nil }

  /// Another own entry than `id` at a path; nil where there is none.
  func other(than id: EntryID, at path: SharePath) -> EntryID? {
    list.replaced(by: key(id), at: path).first?.id
  }

  /// An entry and all below it; a directory before what is in it. Complexity: O(entries below it).
  func subtree(of id: EntryID) -> [EntryID] { list.subtree(of: key(id)).map(\.entry.id) }

  /// A new entry, or a new state of one.
  mutating func put(_ entry: Entry, revision: UInt64, acked: UInt64) {
    list.upsert(ListedEntry(entry: entry, owner: .master, claimed: 0))
    let number = Int(list.record(of: key(entry.id))!)
    let state = Progress(revision: revision, acked: acked)
    while progress.count <= number { progress.append(state) }
    progress[number] = state
  }

  /// As much is acked now. Requires: the entry is there.
  mutating func setAcked(_ acked: UInt64, of id: EntryID) {
    progress[Int(list.record(of: key(id))!)].acked = acked
  }

  /// Nothing is acked.
  mutating func forgetAcks() {
    for index in progress.indices { progress[index].acked = 0 }
  }

  /// Takes an entry off; nothing happens where it is not there.
  mutating func remove(_ id: EntryID) {
    var deltas: [ListDelta] = []
    list.remove(key(id), into: &deltas)
  }

  /// Moves an entry, and all below it whose path is not too long then. Returns: them and it.
  mutating func move(_ id: EntryID, to path: SharePath) -> [EntryID] {
    let moving = list.subtree(of: key(id))
    guard let old = moving.first?.entry.path else { return [] }
    for var one in moving {
      guard let moved = one.entry.path.moved(from: old, to: path) else { continue }
      one.entry.path = moved
      list.upsert(one)
    }
    return moving.map(\.entry.id)
  }

  private func key(_ id: EntryID) -> EntryKey { EntryKey(.master, id) }
}
