package import Glibc

/// Time that only goes forward: for deadlines and for measuring.
package enum MonotonicClock {
  /// Time since the machine started (CLOCK_MONOTONIC).
  package static var now: Duration {
    let time = read(CLOCK_MONOTONIC)
    return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
  }

  /// How long this machine was suspended since it started; it does not count into `now`.
  package static var suspended: Duration {
    let time = read(CLOCK_BOOTTIME)
    return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec) - now
  }
}

/// The time of day, which may jump.
package enum WallClock {
  /// Since 1970 (CLOCK_REALTIME).
  package static var now: timespec { read(CLOCK_REALTIME) }

  /// Whole seconds since 1970.
  package static var seconds: Int64 { Int64(now.tv_sec) }
}

private func read(_ clock: clockid_t) -> timespec {
  var time = timespec()
  let result = clock_gettime(clock, &time)
  precondition(result == 0, "clock_gettime cannot fail for this clock")
  return time
}
