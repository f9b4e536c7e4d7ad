package import Protocol

/// A member's changes on their way to the master, in order: those sent and not yet answered, and
/// those that wait their turn. A change gets its transfer id when it is first sent, so what was
/// never sent can be taken back without a trace.
///
/// Every question about one entry is answered from an index: whoever makes, renames or removes many
/// files at once asks as many times.
package struct Outbox: Sendable {
  /// One change that waits.
  package enum Waiting: Equatable, Sendable {
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

  private var line = WaitingLine()
  private(set) var sent: [Sent] = []
  /// How many adds of an entry were sent and are not answered.
  private var adding = Counts()
  /// How many removals of an entry wait or are not answered.
  private var removing = Counts()
  /// Renames that wait or are not answered.
  private var renames = 0
  private var lastCounter: UInt64 = 0

  package init() {}

  /// Changes not yet answered.
  package var count: Int { line.count + sent.count }

  /// The oldest counter without an answer.
  var oldest: UInt64 { sent.first?.counter ?? lastCounter + 1 }

  /// The first change that waits.
  package var firstWaiting: Waiting? { line.first }

  /// Puts an add in line, unless one of the same entry waits already: it will take the latest
  /// state.
  package mutating func add(_ id: EntryID) { line.add(id) }

  package mutating func append(_ change: Waiting) {
    switch change {
    case .add(let id): return line.add(id)
    case .remove(let id): removing.add(id)
    case .rename: renames += 1
    case .name: break
    }
    line.append(change)
  }

  /// Takes an add that was not sent yet out of the line. Complexity: amortised O(1).
  package mutating func withdrawAdd(_ id: EntryID) { line.withdrawAdd(id) }

  /// Whether a rename waits or is not answered.
  var hasRenames: Bool { renames > 0 }

  package func isWaitingToAdd(_ id: EntryID) -> Bool { line.isWaitingToAdd(id) }

  /// Whether an add of the entry was sent and is not answered.
  func isAdding(_ id: EntryID) -> Bool { adding.has(id) }

  /// Whether a removal of the entry waits or is not answered.
  func isRemoving(_ id: EntryID) -> Bool { removing.has(id) }

  /// Whether no change waits or is unanswered that could alter what the list has of an entry.
  func hasNothing(of id: EntryID) -> Bool {
    !hasRenames && !isAdding(id) && !isRemoving(id) && !isWaitingToAdd(id)
  }

  /// Puts the adds that wait in the order of `key`, each in a place that an add had before.
  /// Complexity: O(n log n) of what waits.
  mutating func sortWaitingAdds(by key: (EntryID) -> [UInt8]) { line.sortAdds(by: key) }

  /// The next change that waits; it must be sent, or be an add that is needed no more.
  package mutating func popWaiting() -> Waiting? {
    let first = line.pop()
    switch first {
    case .remove(let id): removing.remove(id)
    case .rename: renames -= 1
    case .add, .name, nil: break
    }
    return first
  }

  /// Notes a change as sent. Returns: its counter.
  mutating func send(_ change: SentChange) -> UInt64 {
    lastCounter += 1
    sent.append(Sent(counter: lastCounter, change: change))
    switch change {
    case .add(let entries, _): for one in entries { adding.add(one.id) }
    case .remove(let id): removing.add(id)
    case .rename: renames += 1
    case .name: break
    }
    return lastCounter
  }

  /// Takes the change with this counter off; nil where it was answered before. Complexity:
  /// O(transfers in flight).
  mutating func answered(_ counter: UInt64) -> SentChange? {
    guard let index = sent.firstIndex(where: { $0.counter == counter }) else { return nil }
    let change = sent.remove(at: index).change
    switch change {
    case .add(let entries, _): for one in entries { adding.remove(one.id) }
    case .remove(let id): removing.remove(id)
    case .rename: renames -= 1
    case .name: break
    }
    return change
  }

  /// How often each of some entries is there.
  private struct Counts: Sendable {
    private var counts: [EntryID: Int] = [:]

    func has(_ id: EntryID) -> Bool { counts[id] != nil }

    mutating func add(_ id: EntryID) { counts[id, default: 0] += 1 }

    mutating func remove(_ id: EntryID) {
      guard let count = counts[id] else { preconditionFailure("what is taken off was noted") }
      counts[id] = count > 1 ? count - 1 : nil
    }
  }
}
