import DequeModule

/// Deadlines that lie equally far ahead when they are set: the order of setting is the order of
/// falling due, so none of them is ever searched for.
struct HubDeadlines<ID: Hashable & Sendable>: Sendable {
  private var deadlines: [ID: Instant] = [:]
  /// In the order of setting; an item that is not what `deadlines` says was cancelled or set anew.
  private var order: Deque<(id: ID, at: Instant)> = []

  /// The earliest deadline.
  var next: Instant? { order.first?.at }

  /// Sets or moves a deadline; none that was set before may be later.
  mutating func set(_ id: ID, at: Instant) {
    deadlines[id] = at
    order.append((id, at))
    dropStale()
  }

  /// Forgets a deadline; one that is not set is fine.
  mutating func cancel(_ id: ID) {
    if deadlines.removeValue(forKey: id) != nil { dropStale() }
  }

  /// Takes the earliest deadline off if it has come.
  mutating func takeDue(now: Instant) -> ID? {
    guard let first = order.first, now >= first.at else { return nil }
    deadlines[first.id] = nil
    order.removeFirst()
    dropStale()
    return first.id
  }

  /// Amortised O(1): the front is always in force, and at most half of the others is stale.
  private mutating func dropStale() {
    while let first = order.first, deadlines[first.id] != first.at { order.removeFirst() }
    if order.count > 2 * deadlines.count + 64 { order.removeAll { deadlines[$0.id] != $0.at } }
  }
}
