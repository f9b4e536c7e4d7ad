import System

/// Counts what goes by one guest's link, slows it, and ends it.
final class GuestMeter: Sendable {
  private struct State {
    var usedUntil: Duration = .zero
    var isEnded = false
  }

  private let rate: UInt64?
  private let until: Int64?
  private let counted: @Sendable (Int) -> Void
  private let state = Locked(State())

  /// The link is over: what goes by it is cut off.
  struct Ended: Error {}

  /// `rate`: bytes per second; `until`: seconds since 1970.
  init(rate: UInt64?, until: Int64?, counted: @escaping @Sendable (Int) -> Void) {
    self.rate = rate
    self.until = until
    self.counted = counted
  }

  /// How long nothing goes; nil: something may. Throws once the link is over.
  func wait() throws(Ended) -> Duration? {
    let now = MonotonicClock.now
    let (isEnded, usedUntil) = state.withLock { ($0.isEnded, $0.usedUntil) }
    if isEnded || until.map({ $0 <= WallClock.seconds }) ?? false { throw Ended() }
    return usedUntil > now ? usedUntil - now : nil
  }

  /// So many bytes went.
  func count(_ bytes: Int) {
    counted(bytes)
    guard let rate, bytes > 0 else { return }
    let now = MonotonicClock.now
    state.withLock { state in
      state.usedUntil =
        max(state.usedUntil, now) + .seconds(1) * (Double(bytes) / Double(rate))
    }
  }

  func end() { state.withLock { $0.isEnded = true } }
}
