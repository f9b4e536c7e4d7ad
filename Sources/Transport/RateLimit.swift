/// A bucket that holds what may come in some seconds, one where nothing else is said, and refills
/// evenly.
struct RateLimit {
  private let cost: Duration
  private let depth: Duration
  /// When the bucket will be full, if nothing more is taken.
  private var fullAt: Duration = .zero

  /// A full bucket.
  init(perSecond: Int, seconds: Int = 1) {
    precondition(perSecond > 0 && seconds > 0, "a rate is positive")
    cost = .seconds(1) / perSecond
    depth = .seconds(seconds)
  }

  /// Takes one message out. False when that empties the bucket.
  mutating func take(now: Duration) -> Bool {
    fullAt = max(fullAt, now) + cost
    return fullAt + cost - now <= depth
  }

  /// Whether the bucket is full again.
  func isFull(now: Duration) -> Bool { fullAt <= now }
}
