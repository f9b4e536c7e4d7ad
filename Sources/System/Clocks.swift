import Glibc

/// Time that only goes forward: for deadlines and for measuring.
package enum MonotonicClock {
  /// Time since the machine started (CLOCK_MONOTONIC).
  package static var now: Duration {
    let time = read(CLOCK_MONOTONIC)
    return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
  }
}

/// The time of day, which may jump.
package enum WallClock {
  /// Nanoseconds since 1970 (CLOCK_REALTIME).
  package static var nanoseconds: Int64 {
    let time = read(CLOCK_REALTIME)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }
}

private func read(_ clock: clockid_t) -> timespec {
  var time = timespec()
  let result = clock_gettime(clock, &time)
  precondition(result == 0, "clock_gettime cannot fail for this clock")
  return time
}
