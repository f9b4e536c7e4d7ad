/// So much in a second, and a multiple of it at once. Knows no clock: `now` is passed in, on one
/// that never goes back.
package struct Allowance: Sendable {
  private let cost: Duration
  private let depth: Duration
  /// When all of it is there again, if nothing more is taken.
  private var fullAt: Duration

  /// All of it. `seconds`: of how many what is there may be taken at once.
  package init(perSecond: Int, atOnce seconds: Int = 1, now: Duration = .zero) {
    precondition(perSecond > 0 && seconds > 0, "an allowance is of something")
    cost = .seconds(1) / perSecond
    depth = .seconds(seconds)
    fullAt = now
  }

  /// Returns: false, with nothing taken, where there is less left now.
  package mutating func take(_ count: Int = 1, now: Duration) -> Bool {
    let next = max(fullAt, now) + cost * count
    if next > now + depth { return false }
    fullAt = next
    return true
  }

  /// Takes it, even where less is left.
  package mutating func spend(_ count: Int, now: Duration) {
    fullAt = max(fullAt, now) + cost * count
  }

  /// Whether nothing is left.
  package func isSpent(now: Duration) -> Bool { fullAt >= now + depth }

  /// Whether all of it is there.
  package func isFull(now: Duration) -> Bool { fullAt <= now }
}
