import Core
import Protocol

/// What could not be done when it was tried, for whatever reason: it is tried again, at growing
/// distances.
struct RescanRetries {
  /// What is tried again.
  enum Attempt: Hashable, Sendable {
    case target(WatchTarget)
    case folder(InodeNumber)
    /// An own file of which the group should have heard.
    case announcement(InodeNumber)
  }

  private struct State {
    /// nil while it is being tried.
    var due: Instant?
    var wait: Duration
  }

  /// The first distance; each is twice the one before, up to the last: a lack of descriptors passes
  /// soon, a dead disk does not.
  private static let shortest: Duration = .milliseconds(100)
  private static let longest: Duration = .seconds(30)
  /// What waits at most: beyond it everything is looked at again.
  private static let limit = 16_384
  private var states: [Attempt: State] = [:]

  /// It failed just now. Returns: whether for the first time.
  mutating func failed(_ attempt: Attempt, now: Instant) -> Bool {
    let before = states[attempt]
    if before == nil, states.count >= Self.limit {
      return failed(.folder(Node.rootNumber), now: now)
    }
    let wait = before.map { min($0.wait * 2, Self.longest) } ?? Self.shortest
    states[attempt] = State(due: now + wait, wait: wait)
    return before == nil
  }

  /// It was done, or there is nothing left to do.
  mutating func settled(_ attempt: Attempt) {
    if !states.isEmpty { states[attempt] = nil }
  }

  /// Takes what is to be tried now. Complexity: O(what waits).
  mutating func takeDue(now: Instant) -> [Attempt] {
    if states.isEmpty { return [] }
    let due = states.filter { $0.value.due.map { $0 <= now } ?? false }.keys
    for attempt in due { states[attempt]!.due = nil }
    return Array(due)
  }

  /// When `takeDue` finds something.
  var nextDeadline: Instant? { states.isEmpty ? nil : states.values.lazy.compactMap(\.due).min() }
}
