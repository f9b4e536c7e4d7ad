import Protocol

/// How one open file is being read, and how far ahead it is worth fetching.
///
/// Several readers of one handle are told apart by where they are: each has a cursor. A read near a
/// cursor continues it (the kernel reads a little out of order), any other is a seek and begins
/// one, in place of the one that was used least recently. Whoever seeks and reads little each time
/// is a random reader.
struct ReadStream: Sendable {
  /// Reads that continue one another.
  private struct Cursor {
    /// Behind the farthest byte that was read.
    var position: UInt64
    /// Bytes that were read in all.
    var run: UInt64
    /// How far ahead is fetched; 0 before it is known to go on.
    var window: UInt64 = 0
    /// Everything from `position` to here was asked for.
    var askedTo: UInt64
    var used: UInt64
  }

  static let firstWindow: UInt64 = 512 << 10
  static let secondTryWithin: Duration = .milliseconds(500)
  /// How far out of order a reader is read, and how far while it has only just begun.
  private static let slackBehind: UInt64 = 1 << 20
  private static let slackAhead: UInt64 = 4 << 20
  private static let firstSlack: UInt64 = 1 << 20
  private static let cursorLimit = 8
  /// Cursors before anybody is a random reader.
  private static let seeks = 4
  /// Bytes that a random reader reads between two seeks at most, on average.
  private static let randomRun: UInt64 = 64 << 10

  var content: Content
  private var cursors: [Cursor]
  /// That of the last read; nil behind a seek.
  private var current: Int?
  private var clock: UInt64 = 0
  /// When a read of it last reached its deadline.
  private var timedOutAt: Instant?

  /// How far ahead of its latest reader is fetched, bytes.
  var window: UInt64 { current.map { cursors[$0].window } ?? 0 }

  init(_ content: Content) {
    self.content = content
    // Whoever opens a file most often reads it from its beginning.
    cursors = [Cursor(position: 0, run: Self.randomRun, askedTo: 0, used: 0)]
  }

  /// Notes a read that is not empty. Returns: `log2` of the bytes of the pieces that it is worth
  /// asking for.
  mutating func note(offset: UInt64, length: UInt64) -> UInt8 {
    clock += 1
    let end = offset + length
    let isLittle = length <= Self.randomRun && readsAtRandom
    if let index = cursors.firstIndex(where: { Self.continues($0, offset) }) {
      current = index
      cursors[index].used = clock
      cursors[index].run += length
      cursors[index].position = max(cursors[index].position, end)
      return isLittle && cursors[index].run <= Self.randomRun
        ? Self.scale(for: length) : Limits.leafScale
    }
    current = nil
    if cursors.count == Self.cursorLimit {
      cursors.remove(at: cursors.indices.min { cursors[$0].used < cursors[$1].used }!)
    }
    cursors.append(Cursor(position: end, run: length, askedTo: end, used: clock))
    return isLittle ? Self.scale(for: length) : Limits.leafScale
  }

  /// Bytes to fetch ahead of the read that was noted last. `starved`: whether it must wait.
  mutating func ahead(starved: Bool, windowLimit: UInt64) -> Range<UInt64>? {
    guard let current, cursors[current].run > Self.randomRun else { return nil }
    let window = cursors[current].window
    if window == 0 {
      cursors[current].window = Self.firstWindow
    } else if starved {
      cursors[current].window = min(window * 2, windowLimit)
    }
    let cursor = cursors[current]
    let target = min(content.size, cursor.position + cursor.window)
    let from = max(cursor.askedTo, cursor.position)
    // Filled again when less than half of it is left.
    guard from < target, from - cursor.position < cursor.window / 2 else { return nil }
    cursors[current].askedTo = target
    return from..<target
  }

  /// Memory is short: look less far ahead, and ask later for what was left out from `offset` on.
  mutating func shrink(leavingOut offset: UInt64) {
    guard let current else { return }
    cursors[current].window = max(Self.firstWindow, cursors[current].window / 2)
    cursors[current].askedTo = max(offset, cursors[current].position)
  }

  /// A read reached its deadline.
  mutating func timedOut(now: Instant) { timedOutAt = now }

  /// Whether a read has reached its deadline a moment ago: the kernel asks again at once for the
  /// page that its read-ahead did not get, and the program has waited long enough.
  func hasJustTimedOut(now: Instant) -> Bool {
    timedOutAt.map { now - $0 < Self.secondTryWithin } ?? false
  }

  private static func continues(_ cursor: Cursor, _ offset: UInt64) -> Bool {
    let isKnown = cursor.window > 0
    let behind = isKnown ? slackBehind : UInt64(Limits.leaf)
    let ahead = isKnown ? slackAhead : firstSlack
    return offset + behind >= cursor.position && offset <= cursor.position + ahead
  }

  private var readsAtRandom: Bool {
    guard cursors.count >= Self.seeks else { return false }
    // A long run counts no more than some seeks, or one would hide them for good.
    let sum = cursors.reduce(0) { $0 + min($1.run, Self.randomRun * 2) }
    return sum / UInt64(cursors.count) <= Self.randomRun
  }

  /// The smallest piece that holds `length` aligned bytes.
  private static func scale(for length: UInt64) -> UInt8 {
    var scale = Limits.smallestScale
    while UInt64(1) << UInt64(scale) < length { scale += 1 }
    return scale
  }
}
