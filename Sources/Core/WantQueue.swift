import DequeModule

/// What a session has asked for and waits for its credit: what a program waits for now goes before
/// what is read in bulk, each in its order.
struct WantQueue: Sendable {
  private var urgent: Deque<ChunkRelay.Want> = []
  private var bulk: Deque<ChunkRelay.Want> = []

  var count: Int { urgent.count + bulk.count }
  var isEmpty: Bool { urgent.isEmpty && bulk.isEmpty }

  mutating func append(_ want: ChunkRelay.Want, isUrgent: Bool) {
    if isUrgent { urgent.append(want) } else { bulk.append(want) }
  }

  /// The next; `urgentOnly`: there is no credit left for bulk.
  mutating func popFirst(urgentOnly: Bool) -> ChunkRelay.Want? {
    urgent.popFirst() ?? (urgentOnly ? nil : bulk.popFirst())
  }

  /// Takes some out. Complexity: O(n).
  mutating func remove(where isAffected: (ChunkRelay.Want) -> Bool) -> [ChunkRelay.Want] {
    let removed = Array(urgent.filter(isAffected)) + bulk.filter(isAffected)
    if !removed.isEmpty {
      urgent.removeAll(where: isAffected)
      bulk.removeAll(where: isAffected)
    }
    return removed
  }
}
