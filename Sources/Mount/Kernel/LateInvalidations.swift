import System

/// What the kernel was told of nodes that it did not know yet.
///
/// It may have been answered already and not have come to that: whoever asked takes the answer in
/// when it is his turn. What it is told in between it does not hear, and with the answer it would
/// remember for ever what is no longer so. So it is told again, at growing distances.
struct LateInvalidations {
  private static let distances: [Duration] = [
    .milliseconds(20), .milliseconds(200), .seconds(2), .seconds(10),
  ]
  /// What is told again at one time at most: what the kernel has forgotten looks the same.
  private static let limit = 4_096

  private struct Late {
    let invalidation: Invalidation
    /// How often it was told.
    let times: Int
    let due: Duration
  }

  private var late: [Late] = []

  /// When `takeDue` finds something.
  var nextDeadline: Duration? { late.lazy.map(\.due).min() }

  /// The kernel did not know of it when it was told for the `times`th time.
  mutating func add(_ invalidation: Invalidation, times: Int, now: Duration) {
    guard times <= Self.distances.count, late.count < Self.limit else { return }
    late.append(
      Late(invalidation: invalidation, times: times, due: now + Self.distances[times - 1]))
  }

  /// Takes what is to be told again, and how often it was.
  mutating func takeDue(now: Duration) -> [(invalidation: Invalidation, times: Int)] {
    let due = late.filter { $0.due <= now }
    if !due.isEmpty { late.removeAll { $0.due <= now } }
    return due.map { ($0.invalidation, $0.times) }
  }
}
