/// The capacity that all connections of one direction share.
struct Link {
  /// Bytes per second; nil: no limit.
  let rate: Double?
  /// Seconds from one end to the other.
  let delay: Double
  /// When what was given to it so far has left.
  private(set) var busyUntil = 0.0
  /// How many bytes were given to it.
  private(set) var carried = 0

  /// Seconds of data that wait in front of it at most: a router's queue.
  static let backlog = 0.005

  init(rate: Double?, delay: Double) {
    self.rate = rate
    self.delay = delay
  }

  /// Takes bytes. Returns: when they arrive at the other end.
  mutating func send(_ count: Int, now: Double) -> Double {
    carried += count
    busyUntil = max(now, busyUntil) + (rate.map { Double(count) / $0 } ?? 0)
    return busyUntil + delay
  }

  /// When it takes more.
  var ready: Double { busyUntil - Link.backlog }

  /// Bytes that one connection may have on it and unread behind it.
  var window: Int { rate.map { Int($0 * delay * 2) + (4 << 20) } ?? 1 << 20 }
}
