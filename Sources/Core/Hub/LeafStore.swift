import DequeModule
import Protocol

/// Sealed leaves at hand: bounded in bytes and in time, the oldest goes first.
struct LeafStore: Sendable {
  private struct Stored {
    let frame: [UInt8]
    let number: UInt64
  }

  private var lifetime: Duration
  private var limit: Int
  private var leaves: [LeafKey: Stored] = [:]
  /// In the order of arrival; an item whose number is not the stored one's was replaced since.
  private var arrivals: Deque<(key: LeafKey, number: UInt64, expires: Instant)> = []
  private var counter: UInt64 = 0
  private(set) var bytes = 0

  init(lifetime: Duration, limit: Int) {
    self.lifetime = lifetime
    self.limit = limit
  }

  /// How many leaves there are.
  var count: Int { leaves.count }

  /// Keeps leaves that come from now on for so long, and all within this limit.
  mutating func use(lifetime: Duration, limit: Int) {
    self.lifetime = lifetime
    self.limit = limit
    while bytes > limit { dropOldest() }
  }

  var nextExpiry: Instant? { arrivals.first?.expires }

  subscript(key: LeafKey) -> [UInt8]? { leaves[key]?.frame }

  mutating func insert(_ frame: [UInt8], for key: LeafKey, now: Instant) {
    if frame.count > limit { return }
    remove(key)
    counter += 1
    leaves[key] = Stored(frame: frame, number: counter)
    arrivals.append((key, counter, now + lifetime))
    bytes += frame.count
    while bytes > limit { dropOldest() }
  }

  mutating func expire(now: Instant) {
    while let first = arrivals.first, now >= first.expires { dropOldest() }
  }

  /// Drops some of the leaves at once. O(leaves).
  mutating func remove(where isAffected: (LeafKey) -> Bool) {
    for key in leaves.keys.filter(isAffected) { remove(key) }
  }

  private mutating func dropOldest() {
    let oldest = arrivals.removeFirst()
    if leaves[oldest.key]?.number == oldest.number { remove(oldest.key) }
  }

  private mutating func remove(_ key: LeafKey) {
    if let old = leaves.removeValue(forKey: key) { bytes -= old.frame.count }
  }
}
