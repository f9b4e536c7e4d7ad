package import Protocol

/// One version of somebody's file, as it is read.
package struct Content: Hashable, Sendable {
  package let owner: PublicID
  package let entry: EntryID
  package let version: Version
  package let size: UInt64
  package init(owner: PublicID, entry: EntryID, version: Version, size: UInt64) {
    self.owner = owner
    self.entry = entry
    self.version = version
    self.size = size
  }

  func key(_ index: UInt64) -> LeafKey {
    LeafKey(
      owner: owner, entry: entry, version: version, scale: Limits.leafScale, generation: 0,
      index: index)
  }

  /// Bytes that a leaf must have.
  func length(ofLeaf index: UInt64) -> Int {
    Int(min(UInt64(Limits.leaf), size - index * UInt64(Limits.leaf)))
  }

  /// Leaves that hold `length` bytes from `offset` on. Requires: within the file, not empty.
  func leaves(_ offset: UInt64, _ length: UInt64) -> ClosedRange<UInt64> {
    (offset / UInt64(Limits.leaf))...((offset + length - 1) / UInt64(Limits.leaf))
  }
}

/// How one open file is being read, and how far ahead it is worth fetching.
///
/// A reader counts as sequential while it stays near its cursor: the kernel reads a little out of order,
/// so up to 1 MiB behind and 16 MiB ahead is no seek. The window doubles when the reader had to wait,
/// and is refilled when less than half of it is left.
struct ReadStream: Sendable {
  static let slackBehind: UInt64 = 1 << 20
  static let slackAhead: UInt64 = 16 << 20
  static let secondTryWithin: Duration = .milliseconds(500)
  static let firstWindow: UInt64 = 512 << 10

  let content: Content
  private var cursor: UInt64 = 0
  private(set) var window: UInt64 = 0
  /// When a read of it last reached its deadline.
  private var timedOutAt: Instant?
  /// Everything from the cursor to here was asked for.
  private var askedTo: UInt64 = 0

  init(_ content: Content) { self.content = content }

  /// Notes a read. `starved`: whether it must wait.
  /// Returns: leaves to fetch ahead, if any.
  mutating func read(
    offset: UInt64, length: UInt64, starved: Bool, windowLimit: UInt64
  ) -> ClosedRange<UInt64>? {
    let end = offset + length
    let isNear = offset + Self.slackBehind >= cursor && offset <= cursor + Self.slackAhead
    guard isNear || (offset == 0 && window == 0) else {
      cursor = end
      askedTo = end
      window = 0
      return nil
    }
    if window == 0 {
      window = Self.firstWindow
    } else if starved {
      window = min(window * 2, windowLimit)
    }
    cursor = max(cursor, end)
    let target = min(content.size, cursor + window)
    let from = max(askedTo, cursor)
    guard from < target, from - cursor < window / 2 else { return nil }
    askedTo = target
    return content.leaves(from, target - from)
  }

  /// A read reached its deadline.
  mutating func timedOut(now: Instant) { timedOutAt = now }

  /// Whether a read has reached its deadline a moment ago: the kernel asks again at once for the page
  /// that its read-ahead did not get, and the program has waited long enough.
  func hasJustTimedOut(now: Instant) -> Bool {
    timedOutAt.map { now - $0 < Self.secondTryWithin } ?? false
  }

  /// Memory is short: look less far ahead.
  mutating func shrink() { window = max(Self.firstWindow, window / 2) }
}
