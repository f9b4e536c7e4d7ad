import Core
import System

/// When nodes that nobody needs any more go.
struct RestTimes: Sendable {
  /// What the kernel forgets it may ask for again soon.
  private static let pause: Duration = .seconds(10)

  private var next: Instant = .zero

  /// Whether it is time, and what is there is looked at now.
  mutating func begin(now: Instant) -> Bool {
    if now < next { return false }
    next = now + Self.pause
    return true
  }
}

extension OwnFiles {
  /// Nodes that are looked at at once, so that no request waits for long.
  private static let restBatch = 1_000
  /// So many leave memory that is worth giving back.
  private static let manyIdle = 10_000

  /// Time has passed: nodes that are idle go.
  func restIdle() {
    guard rests.withLock({ $0.begin(now: MonotonicClock.now) }) else { return }
    let idle = namespace.takeIdle()
    if idle.isEmpty { return }
    disk.run { [self] in
      var rest = idle[...]
      while !rest.isEmpty {
        let some = rest.prefix(Self.restBatch)
        rest = rest.dropFirst(Self.restBatch)
        nameLock.withLock { held in namespace.quiesce(held, some) }
      }
      if idle.count > Self.manyIdle { Allocator.giveBack() }
    }
  }
}
