import DequeModule
import Protocol

/// Changes that came behind those of a replica, and that no word of the master covers yet. Whoever
/// has the group's key and the hub's ear can make one up: nobody is shown them before.
struct UncoveredChanges: Sendable {
  private var changes: Deque<OrderedChange> = []
  private var bytes = 0
  /// Since when there is something.
  private(set) var since: Instant?

  /// More than an honest master lets come before it signs.
  private static let limit = 16 << 20

  var isTooMuch: Bool { bytes > Self.limit }

  /// The one that came last.
  var last: OrderedChange? { changes.last }

  mutating func append(_ ordered: OrderedChange, now: Instant) {
    changes.append(ordered)
    bytes += ordered.bytes
    since = since ?? now
  }

  /// The history up to a place; nil where that is not one of these.
  func history(at seq: UInt64) -> History? {
    guard let first = changes.first?.order.seq, seq >= first, seq - first < changes.count else {
      return nil
    }
    return changes[Int(seq - first)].history
  }

  /// Takes the first, if it is at `seq` or before; nil where there is none.
  mutating func takeFirst(upTo seq: UInt64) -> OrderedChange? {
    guard let first = changes.first, first.order.seq <= seq else { return nil }
    bytes -= first.bytes
    changes.removeFirst()
    if changes.isEmpty { since = nil }
    return first
  }
}
