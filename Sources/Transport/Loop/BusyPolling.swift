/// When a service loop looks at its sockets again instead of going to sleep: to be woken costs a
/// few microseconds, in a virtual machine 25, and a small read of a file wakes six loops one after
/// the other.
///
/// It is worth it only among messages that follow each other closely. Thus a loop begins with it
/// when a sleep was shorter than the limit, and ends when nothing came within it.
struct BusyPolling {
  /// How long nothing may happen before the loop goes to sleep.
  static let limit: Duration = .microseconds(200)

  /// Whether the loop looks again before it sleeps.
  private(set) var isWorthwhile = false

  /// The loop slept. `hasHappened`: a message ended it, not a timer.
  mutating func slept(_ duration: Duration, hasHappened: Bool) {
    isWorthwhile = hasHappened && duration < Self.limit
  }

  /// The loop looked again and again: did something happen?
  mutating func looked(successfully hasHappened: Bool) { isWorthwhile = hasHappened }
}
