/// A bucket that holds one second's worth of messages and refills evenly.
struct RateLimit {
  private let cost: Duration
  /// When the bucket will be full, if nothing more is taken.
  private var fullAt: Duration = .zero

  /// A full bucket.
  init(perSecond: Int) {
    precondition(perSecond > 0, "a rate is positive")
    cost = .seconds(1) / perSecond
  }

  /// Takes one message out. False when that empties the bucket.
  mutating func take(now: Duration) -> Bool {
    fullAt = max(fullAt, now) + cost
    return fullAt + cost - now <= .seconds(1)
  }

  /// Whether the bucket is full again.
  func isFull(now: Duration) -> Bool { fullAt <= now }
}
