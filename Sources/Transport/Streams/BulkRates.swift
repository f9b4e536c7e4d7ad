import System

/// How fast all bulk streams of a member may be together, through the hub and by lines. Any thread.
package final class BulkRates: Sendable {
  /// The least that they may be limited to: a frame has to be through long before its silence looks
  /// like an end.
  package static let lowest: UInt64 = 64 << 10

  private let up = Locked(RateLimit())
  private let down = Locked(RateLimit())

  package init() {}

  /// Bounds what goes and what comes, in bytes per second; nil: no limit.
  package func limit(up: UInt64?, down: UInt64?) {
    precondition([up, down].allSatisfy { $0.map { $0 >= Self.lowest } ?? true })
    self.up.withLock { $0.bytesPerSecond = up }
    self.down.withLock { $0.bytesPerSecond = down }
  }

  func spend(up bytes: Int, now: Duration) { up.withLock { $0.spend(bytes, now: now) } }
  func spend(down bytes: Int, now: Duration) { down.withLock { $0.spend(bytes, now: now) } }

  /// How long nothing is sent, or read; nil: something may be.
  func upWait(now: Duration) -> Duration? { up.withLock { $0.wait(now: now) } }
  func downWait(now: Duration) -> Duration? { down.withLock { $0.wait(now: now) } }
}
