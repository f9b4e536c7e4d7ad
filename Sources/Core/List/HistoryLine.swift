import DequeModule
package import Protocol

/// The histories of the latest places in the order, so that somebody who has come as far as one of
/// them can be told from somebody whose list was made from other changes. Memory: 32 bytes for
/// each.
package struct HistoryLine: Sendable {
  /// Places that are remembered at most.
  private let limit: Int
  private var items: Deque<History>
  /// The place of the first item.
  package private(set) var first: UInt64

  /// Begins at one place. Requires: `limit` is at least 1.
  package init(at seq: UInt64, _ history: History, limit: Int) {
    precondition(limit >= 1, "the latest history is always known")
    self.limit = limit
    items = [history]
    first = seq
  }

  /// The latest place.
  package var last: UInt64 { first &+ UInt64(items.count - 1) }

  /// The history up to the latest place.
  package var latest: History { items[items.count - 1] }

  /// The histories, from that of `first` on.
  package var all: [History] { Array(items) }

  /// The history up to a place; nil where that is no longer, or not yet, known.
  package subscript(seq: UInt64) -> History? {
    guard seq >= first, seq <= last else { return nil }
    return items[Int(seq - first)]
  }

  /// The next place has this history. Amortised O(1).
  package mutating func append(_ history: History) {
    items.append(history)
    if items.count > limit {
      items.removeFirst()
      first += 1
    }
  }

  /// Puts earlier histories before those that are known. Requires: the last of them is that before
  /// `first`.
  mutating func prepend(_ earlier: [History]) {
    for history in earlier.reversed() where items.count < limit && first > 0 {
      items.prepend(history)
      first -= 1
    }
  }
}
