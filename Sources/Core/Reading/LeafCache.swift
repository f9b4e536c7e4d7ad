import DequeModule
import Protocol

/// The plain bytes of a leaf, or of a smaller piece.
package typealias Leaf = [UInt8]

/// Opened leaves in memory, bounded in bytes. First go those that were read to their end, which the
/// kernel keeps by now, then the least recently used.
struct LeafCache: Sendable {
  /// Leaves that stay though they were read to their end: few, so that their memory, which the
  /// processor still has at hand, is used again for the next.
  private static let spentLimit = 128

  private struct Cached {
    let leaf: Leaf
    var used: UInt64
  }

  private var leaves: [LeafKey: Cached] = [:]
  /// How many there are of each version that has any.
  private var counts: [VersionKey: Int] = [:]
  /// In the order of use; an item whose number is not the leaf's latest is stale.
  private var uses: Deque<(key: LeafKey, used: UInt64)> = []
  /// The same of those that were read to their end.
  private var spent: Deque<(key: LeafKey, used: UInt64)> = []
  private var counter: UInt64 = 0
  private(set) var bytes = 0

  /// The leaf, which counts as used now. Amortised O(1).
  mutating func use(_ key: LeafKey) -> Leaf? {
    guard let leaf = leaves[key]?.leaf else { return nil }
    counter += 1
    leaves[key]!.used = counter
    uses.append((key, counter))
    if uses.count > 2 * leaves.count + 1_024 { dropStale() }
    return leaf
  }

  /// The leaf was read to its end: it stays a little, for readers that are close behind.
  mutating func spend(_ key: LeafKey) {
    guard leaves[key] != nil else { return }
    counter += 1
    leaves[key]!.used = counter
    spent.append((key, counter))
    while spent.count > Self.spentLimit { drop(spent.removeFirst()) }
  }

  func contains(_ key: LeafKey) -> Bool { leaves[key] != nil }

  /// Whether there is any leaf of a version. O(1).
  func contains(anyOf version: VersionKey) -> Bool { counts[version] != nil }

  /// Leaves whose key is one of these. Complexity: O(n).
  func count(where isOne: (LeafKey) -> Bool) -> Int { leaves.keys.count(where: isOne) }

  mutating func insert(_ leaf: Leaf, for key: LeafKey) {
    if let old = leaves[key] { bytes -= old.leaf.count } else { count(key, 1) }
    counter += 1
    leaves[key] = Cached(leaf: leaf, used: counter)
    uses.append((key, counter))
    bytes += leaf.count
  }

  /// Drops the least recently used leaves until at most `limit` bytes are held.
  mutating func shrink(to limit: Int) {
    while bytes > limit, let oldest = spent.popFirst() ?? uses.popFirst() { drop(oldest) }
  }

  /// Drops all leaves of which `isDoomed` is true. Complexity: O(n).
  mutating func remove(where isDoomed: (LeafKey) -> Bool) {
    for key in leaves.keys.filter(isDoomed) {
      bytes -= leaves.removeValue(forKey: key)!.leaf.count
      count(key, -1)
    }
  }

  /// Takes out all leaves of which `isWanted` is true. Complexity: O(n).
  mutating func take(where isWanted: (LeafKey, Leaf) -> Bool) -> [(LeafKey, Leaf)] {
    let taken = leaves.filter { isWanted($0.key, $0.value.leaf) }.map { ($0.key, $0.value.leaf) }
      .sorted { $0.0.index < $1.0.index }
    for (key, leaf) in taken {
      leaves[key] = nil
      bytes -= leaf.count
      count(key, -1)
    }
    return taken
  }

  /// Drops a leaf, unless it was used since.
  private mutating func drop(_ use: (key: LeafKey, used: UInt64)) {
    guard let cached = leaves[use.key], cached.used == use.used else { return }
    bytes -= cached.leaf.count
    leaves[use.key] = nil
    count(use.key, -1)
  }

  private mutating func count(_ key: LeafKey, _ change: Int) {
    let left = (counts[key.content] ?? 0) + change
    counts[key.content] = left > 0 ? left : nil
  }

  private mutating func dropStale() {
    uses.removeAll { use in leaves[use.key]?.used != use.used }
  }
}
