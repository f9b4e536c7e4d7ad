import DequeModule
import Protocol

/// A member's changes on their way to the master, in order: those sent and not yet answered,
/// and those that wait their turn. A change gets its transfer id when it is first sent, so what was
/// never sent can be taken back without a trace.
struct Outbox: Sendable {
  /// One change that waits.
  enum Waiting: Equatable, Sendable {
    case add(EntryID)
    case remove(EntryID)
    case rename(EntryID, to: SharePath)
    case name(DeviceName)
  }

  /// One transfer that is not answered yet.
  struct Sent: Sendable {
    let counter: UInt64
    let change: SentChange
  }

  enum SentChange: Equatable, Sendable {
    /// Entry by entry, with the revision that was sent.
    case add([SentEntry], reclaims: Bool)
    case remove(EntryID)
    case rename(EntryID, to: SharePath)
    case name(DeviceName)
  }

  struct SentEntry: Equatable, Sendable {
    let id: EntryID
    let revision: UInt64
    /// Where it was when it was first sent.
    let path: SharePath
  }

  private(set) var waiting: Deque<Waiting> = []
  private(set) var sent: Deque<Sent> = []
  private var waitingAdds: Set<EntryID> = []
  private var lastCounter: UInt64 = 0

  /// Changes not yet answered.
  var count: Int { waiting.count + sent.count }

  /// The oldest counter without an answer.
  var oldest: UInt64 { sent.first?.counter ?? lastCounter + 1 }

  /// Puts an add in line, unless one of the same entry waits already: it will take the latest state.
  mutating func add(_ id: EntryID) {
    if waitingAdds.insert(id).inserted { waiting.append(.add(id)) }
  }

  mutating func append(_ change: Waiting) { waiting.append(change) }

  /// Takes an add that was not sent yet out of the line. Returns: whether there was one.
  mutating func withdrawAdd(_ id: EntryID) -> Bool {
    guard waitingAdds.remove(id) != nil else { return false }
    waiting.removeAll { $0 == .add(id) }
    return true
  }

  /// The same for many at once. Complexity: O(what waits).
  mutating func withdrawAdds(_ ids: Set<EntryID>) {
    guard !waitingAdds.isDisjoint(with: ids) else { return }
    waitingAdds.subtract(ids)
    waiting.removeAll { if case .add(let id) = $0 { ids.contains(id) } else { false } }
  }

  /// Whether a rename waits or is not answered. Complexity: O(what waits).
  var hasRenames: Bool {
    sent.contains { if case .rename = $0.change { true } else { false } }
      || waiting.contains { if case .rename = $0 { true } else { false } }
  }

  /// Entries in adds that were sent and are not answered. Complexity: O(what was sent).
  var adding: Set<EntryID> {
    var ids: Set<EntryID> = []
    for case .add(let entries, _) in sent.lazy.map(\.change) { ids.formUnion(entries.map(\.id)) }
    return ids
  }

  /// Entries whose removal waits or is not answered. Complexity: O(what waits).
  var removing: Set<EntryID> {
    var ids: Set<EntryID> = []
    for case .remove(let id) in sent.lazy.map(\.change) { ids.insert(id) }
    for case .remove(let id) in waiting { ids.insert(id) }
    return ids
  }

  func isWaitingToAdd(_ id: EntryID) -> Bool { waitingAdds.contains(id) }

  /// Whether an add of the entry was sent and is not answered.
  func isAdding(_ id: EntryID) -> Bool {
    sent.contains { one in
      if case .add(let entries, _) = one.change { return entries.contains { $0.id == id } }
      return false
    }
  }

  /// Puts the adds that wait in the order of `key`, each in a place that an add had before.
  mutating func sortWaitingAdds(by key: (EntryID) -> [UInt8]) {
    let places = waiting.indices.filter { if case .add = waiting[$0] { true } else { false } }
    let sorted = places.compactMap { place -> (key: [UInt8], id: EntryID)? in
      guard case .add(let id) = waiting[place] else { return nil }
      return (key(id), id)
    }.sorted { $0.key.lexicographicallyPrecedes($1.key) }
    for (place, one) in zip(places, sorted) { waiting[place] = .add(one.id) }
  }

  mutating func popWaiting() -> Waiting? {
    guard let first = waiting.popFirst() else { return nil }
    if case .add(let id) = first { waitingAdds.remove(id) }
    return first
  }

  /// Notes a change as sent. Returns: its counter.
  mutating func send(_ change: SentChange) -> UInt64 {
    lastCounter += 1
    sent.append(Sent(counter: lastCounter, change: change))
    return lastCounter
  }

  /// Takes the change with this counter off; nil where it was answered before.
  mutating func answered(_ counter: UInt64) -> SentChange? {
    guard let index = sent.firstIndex(where: { $0.counter == counter }) else { return nil }
    return sent.remove(at: index).change
  }
}
