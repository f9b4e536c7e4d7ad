/// Bounds the bytes of a stream in the long run; some at a time may come at once. Not thread-safe.
struct RateLimit {
  /// What was not used is good for so long.
  private static let saved: Duration = .milliseconds(100)

  /// Bytes per second; nil: there is no limit.
  var bytesPerSecond: UInt64?
  /// Until when all is used that was passed on.
  private var usedUntil: Duration = .zero

  init() {}

  /// So many bytes were passed on.
  mutating func spend(_ bytes: Int, now: Duration) {
    guard let bytesPerSecond, bytes > 0 else { return }
    usedUntil =
      max(usedUntil, now - Self.saved) + .seconds(1) * (Double(bytes) / Double(bytesPerSecond))
  }

  /// How long nothing is passed on; nil: something may be.
  func wait(now: Duration) -> Duration? {
    bytesPerSecond != nil && usedUntil > now ? usedUntil - now : nil
  }
}
