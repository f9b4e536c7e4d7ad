import Protocol

/// What an owner really delivers, and how long a run of leaves is therefore worth asking for: a
/// quarter of a second's.
struct DeliveryRate: Sendable {
  private static let interval: Duration = .milliseconds(100)
  private static let idle: Duration = .seconds(1)
  /// Leaves of a run while nothing is known.
  private static let firstRun: UInt32 = 4

  private var since: Instant
  private var last: Instant
  private var bytes: UInt64 = 0
  /// nil before the first interval is over.
  private(set) var bytesPerSecond: UInt64?

  init(now: Instant) {
    since = now
    last = now
  }

  /// A leaf came.
  mutating func arrived(_ count: Int, now: Instant) {
    if now - last > Self.idle {
      // Nothing was asked for meanwhile: the pause says nothing about the path.
      since = now
      bytes = 0
    }
    last = now
    bytes += UInt64(count)
    let elapsed = now - since
    guard elapsed >= Self.interval else { return }
    let (seconds, attoseconds) = elapsed.components
    let microseconds = UInt64(max(1, seconds * 1_000_000 + attoseconds / 1_000_000_000_000))
    let fresh = bytes * 1_000_000 / microseconds
    bytesPerSecond = bytesPerSecond.map { ($0 + fresh) / 2 } ?? fresh
    since = now
    bytes = 0
  }

  /// Leaves worth asking for in one request.
  var leavesPerRequest: UInt32 {
    guard let bytesPerSecond else { return Self.firstRun }
    let leaves = bytesPerSecond / 4 / UInt64(Limits.leaf)
    return UInt32(min(max(leaves, 1), UInt64(Limits.leavesPerRequest)))
  }
}
