import Core
import DequeModule
import Protocol

/// What a disk cache has, in memory: which segments, which leaves of them, their size, and in which
/// order they were used.
struct CacheIndex: Sendable {
  private struct Segment {
    /// Bytes on the disk.
    var bytes = 0
    /// Which slots hold a leaf; nil before the file was looked into.
    var slots: UInt64?
    var used: UInt64 = 0
    /// When the file was last told of its use.
    var markedAt: Instant?
    /// Which look over what is kept has met it last; nil: it is not kept.
    var keptIn: UInt32?
  }

  /// How often a file is told of its use, by which the next start knows the order.
  private static let markEvery: Duration = .seconds(60)

  private var segments: [CacheSegment: Segment] = [:]
  /// In the order of use; an item whose number is not the segment's latest is stale.
  private var uses: Deque<(segment: CacheSegment, used: UInt64)> = []
  private var counter: UInt64 = 0
  /// Bytes on the disk.
  private(set) var bytes = 0
  /// Those of them that are kept.
  private(set) var keptBytes = 0
  /// Whether nothing goes out: what is kept is not known yet.
  var holdsAll = false

  /// Segments that lie on the disk, of which nothing more is known yet.
  init(_ found: [CacheSegment]) {
    for segment in found { segments[segment] = Segment() }
  }

  /// What was found on the disk, the least recently used first. Call once, before anything is
  /// written.
  mutating func surveyed(_ found: [(segment: CacheSegment, bytes: Int)]) {
    for (segment, size) in found.reversed() where segments[segment] != nil {
      segments[segment]!.bytes = size
      bytes += size
      if segments[segment]!.keptIn != nil { keptBytes += size }
      // Not used since the start; what was stands behind it already.
      uses.prepend((segment, 0))
    }
  }

  /// Whether a leaf may be there: false means that it is not.
  func mayHave(_ segment: CacheSegment, slot: Int) -> Bool {
    guard let known = segments[segment] else { return false }
    return known.slots.map { $0 & (1 << UInt64(slot)) != 0 } ?? true
  }

  /// How many leaves a segment has, or seems to have.
  func leaves(in segment: CacheSegment) -> UInt64 {
    guard let known = segments[segment] else { return 0 }
    let guess = max(0, known.bytes - CacheSegment.headLength) / CacheSegment.cost(of: Limits.leaf)
    return UInt64(known.slots?.nonzeroBitCount ?? min(CacheSegment.leaves, max(1, guess)))
  }

  /// Which slots of a segment hold a leaf; nil where the file was not looked into since the start.
  func slots(of segment: CacheSegment) -> UInt64? {
    guard let known = segments[segment] else { return 0 }
    return known.slots
  }

  /// Whether the file was looked into since the start.
  func isKnown(_ segment: CacheSegment) -> Bool { segments[segment]?.slots != nil }

  /// A segment's file was looked into.
  mutating func learn(_ segment: CacheSegment, slots: UInt64) {
    if segments[segment] != nil, segments[segment]!.slots == nil {
      segments[segment]!.slots = slots
    }
  }

  /// A segment is used. Returns: whether its file should be told. Amortised O(1).
  mutating func use(_ segment: CacheSegment, now: Instant) -> Bool {
    guard segments[segment] != nil else { return false }
    counter += 1
    segments[segment]!.used = counter
    // What is kept stands in no order: it does not go out.
    if segments[segment]!.keptIn == nil { uses.append((segment, counter)) }
    if uses.count > 2 * segments.count + 1_024 {
      uses.removeAll { segments[$0.segment]?.used != $0.used }
    }
    if let at = segments[segment]!.markedAt, now < at + Self.markEvery { return false }
    segments[segment]!.markedAt = now
    return true
  }

  /// A leaf was written.
  mutating func wrote(_ segment: CacheSegment, slot: Int, leaf: Int, now: Instant) {
    var known = segments[segment] ?? Segment(bytes: CacheSegment.headLength, slots: 0)
    if segments[segment] == nil { bytes += known.bytes }
    let bit: UInt64 = 1 << UInt64(slot)
    if (known.slots ?? 0) & bit == 0 {
      known.bytes += CacheSegment.cost(of: leaf)
      bytes += CacheSegment.cost(of: leaf)
      if known.keptIn != nil { keptBytes += CacheSegment.cost(of: leaf) }
    }
    known.slots = (known.slots ?? 0) | bit
    // Writing has told the file.
    known.markedAt = now
    segments[segment] = known
    _ = use(segment, now: now)
  }

  /// A leaf turned out not to be there, or not to be what it should.
  mutating func lost(_ segment: CacheSegment, slot: Int) {
    if let slots = segments[segment]?.slots {
      segments[segment]!.slots = slots & ~(1 << UInt64(slot))
    }
  }

  /// A segment is gone.
  mutating func remove(_ segment: CacheSegment) {
    guard let known = segments.removeValue(forKey: segment) else { return }
    bytes -= known.bytes
    if known.keptIn != nil { keptBytes -= known.bytes }
  }

  /// Takes out the least recently used segments until at most `limit` bytes are left, but not
  /// `spared`, and nothing that is kept.
  mutating func shrink(to limit: Int, but spared: CacheSegment?) -> [CacheSegment] {
    if holdsAll { return [] }
    var taken: [CacheSegment] = []
    var passed: (segment: CacheSegment, used: UInt64)?
    while bytes > limit, let oldest = uses.popFirst() {
      guard let known = segments[oldest.segment], known.used == oldest.used, known.keptIn == nil
      else { continue }
      if oldest.segment == spared {
        passed = oldest
      } else {
        remove(oldest.segment)
        taken.append(oldest.segment)
      }
    }
    if let passed { uses.prepend(passed) }
    return taken
  }

  /// A segment that is there is kept. `look`: which look over what is kept meets it.
  mutating func keep(_ segment: CacheSegment, in look: UInt32) {
    guard let known = segments[segment] else { return }
    if known.keptIn == nil { keptBytes += known.bytes }
    segments[segment]!.keptIn = look
  }

  /// A look over what is kept has met all of it: what it did not meet may go out again.
  /// Complexity: O(segments).
  mutating func endKeeping(in look: UInt32, now: Instant) {
    holdsAll = false
    let released = segments.filter { $0.value.keptIn.map { $0 != look } ?? false }.keys
    for segment in released {
      keptBytes -= segments[segment]!.bytes
      segments[segment]!.keptIn = nil
      _ = use(segment, now: now)
    }
  }

  /// Takes out all segments of an owner, or all: nil. Complexity: O(segments).
  mutating func take(of owner: PublicID?) -> [CacheSegment] {
    let taken = segments.keys.filter { owner == nil || $0.owner == owner }
    for segment in taken { remove(segment) }
    return taken
  }
}
