package import Protocol

/// What of the announced versions of an own file is still in it, while it is written to.
///
/// Every change is noted before it is made, with the offset at which it begins: what lies before
/// that is as it was, and may be served under the versions that had it.
package struct ContentHistory: Sendable {
  private struct Announced: Sendable {
    let version: Version
    let size: UInt64
    /// Bytes from the beginning on that are as they were announced.
    var intact: UInt64
  }

  /// Versions that readers may still ask for: as many as are announced while an answer is on its
  /// way.
  private static let limit = 16

  /// The oldest first; empty where the file was not changed since it was announced first.
  private var announced: [Announced] = []
  /// Offsets of the changes that are being made.
  private var underWay: [UInt64] = []
  /// Whether the latest `stat` of the file was taken behind all changes of ours.
  package private(set) var isSettled = true
  /// Counts the changes.
  package private(set) var changes: UInt64 = 0

  package init() {}

  /// Bytes of the file when it was last at rest.
  package private(set) var restingSize: UInt64 = 0

  /// Whether nothing of it is needed: the file was not changed since it was announced first.
  package var isEmpty: Bool { announced.isEmpty && underWay.isEmpty && isSettled }

  /// Whether a change is being made.
  package var isChanging: Bool { !underWay.isEmpty }

  /// A change from `offset` on is about to be made. `entry`: as it was announced last; `size`:
  /// bytes of the file now.
  package mutating func begin(at offset: UInt64, _ entry: Entry?, size: UInt64) {
    noteFirst(entry)
    if underWay.isEmpty { restingSize = size }
    underWay.append(offset)
    changes += 1
    isSettled = false
    lower(to: offset)
  }

  /// That change was made, or failed on the way.
  package mutating func end(at offset: UInt64) {
    if let index = underWay.firstIndex(of: offset) { underWay.remove(at: index) }
  }

  /// A `stat` was taken behind change number `change`.
  package mutating func settle(behind change: UInt64) {
    if change == changes, underWay.isEmpty { isSettled = true }
  }

  /// Something else than this program has changed the file: nothing is known of it.
  package mutating func loseTrack(_ entry: Entry?) {
    noteFirst(entry)
    lower(to: 0)
  }

  /// Whether all that was done since the last announcement was done behind the end of what it
  /// announced.
  package var hasOnlyGrown: Bool { announced.last.map { $0.intact == $0.size } ?? true }

  /// A new version of `size` bytes is announced. `before`: as it was announced last. Returns: the
  /// beginning that the new version names; nil where it does not only go on from the last.
  package mutating func announce(_ version: Version, size: UInt64, before: Entry?) -> Version? {
    // What was never changed needs no history.
    if announced.isEmpty, before == nil, underWay.isEmpty { return nil }
    noteFirst(before)
    let line = hasOnlyGrown && size >= announced.last?.size ?? .max ? before?.line : nil
    if announced.count == Self.limit { announced.removeFirst() }
    announced.append(
      Announced(version: version, size: size, intact: min(size, underWay.min() ?? size)))
    return line
  }

  /// The size of a version of which something may still be there. `entry`: as it was announced
  /// last.
  package func size(of version: Version, _ entry: Entry) -> UInt64? {
    if announced.isEmpty { return entry.version == version ? entry.size : nil }
    return announced.last { $0.version == version }?.size
  }

  /// Whether the first `end` bytes of a version are still in the file.
  package func holds(_ version: Version, upTo end: UInt64, _ entry: Entry) -> Bool {
    if announced.isEmpty { return entry.version == version && end <= entry.size }
    return announced.last { $0.version == version }.map { end <= $0.intact } ?? false
  }

  private mutating func noteFirst(_ entry: Entry?) {
    guard announced.isEmpty, let entry, entry.kind == .file else { return }
    announced.append(Announced(version: entry.version, size: entry.size, intact: entry.size))
  }

  private mutating func lower(to offset: UInt64) {
    for index in announced.indices {
      announced[index].intact = min(announced[index].intact, offset)
    }
  }
}
