import System

/// How long a member waits before it tries again to reach its hub: so that a crowd whose hub comes
/// back does not knock as one.
package enum BackOff {
  /// The longest wait, seconds.
  package static let longest = 5.0

  /// 0.1 s, doubled at each failure up to 5 s, each between half of it and the whole. `failures`:
  /// at least 1.
  package static func delay(after failures: Int) -> Duration {
    let full = min(longest, 0.1 * Double(1 << min(failures - 1, 10)))
    let share = 0.5 + 0.5 * Double(SecureRandom.uint64() >> 11) / Double(1 << 53)
    return .milliseconds(Int64(full * share * 1_000))
  }
}
