import DequeModule
import Protocol

/// Programs that wait for the group's answer to a change. Each is found by its entry and by its
/// time: many wait at once where much is copied in, and each that is answered must not cost as much
/// as all.
struct ChangeWaits: Sendable {
  private struct Wait: Sendable {
    let entry: EntryID
    let revision: UInt64
    let deadline: Instant
  }

  private var waits: [WaitToken: Wait] = [:]
  private var tokens: [EntryID: Set<WaitToken>] = [:]
  /// The earliest first; those that wait no more are passed over.
  private var deadlines: Deque<(at: Instant, token: WaitToken)> = []

  var isEmpty: Bool { waits.isEmpty }

  /// When `takeDue` may find something; never later.
  var nextDeadline: Instant? { waits.isEmpty ? nil : deadlines.first?.at }

  /// Adds one. Complexity: O(1) where its time is over last of all, else O(waits that are over
  /// later).
  mutating func add(
    _ token: WaitToken, for entry: EntryID, _ revision: UInt64, until deadline: Instant
  ) {
    cancel(token)
    waits[token] = Wait(entry: entry, revision: revision, deadline: deadline)
    tokens[entry, default: []].insert(token)
    var place = deadlines.count
    while place > 0, deadlines[place - 1].at > deadline { place -= 1 }
    deadlines.insert((deadline, token), at: place)
  }

  /// Takes one out. Its place among the deadlines goes when its time comes, or when it is the
  /// first.
  mutating func cancel(_ token: WaitToken) {
    guard let wait = waits.removeValue(forKey: token) else { return }
    tokens[wait.entry]!.remove(token)
    if tokens[wait.entry]!.isEmpty { tokens[wait.entry] = nil }
    passEnded()
  }

  /// Takes out those that wait for an entry, for a state that is not later than `revision`. In the
  /// order in which they came.
  mutating func take(_ entry: EntryID, upTo revision: UInt64) -> [WaitToken] {
    guard let all = tokens[entry] else { return [] }
    let ended = all.filter { waits[$0]!.revision <= revision }.sorted()
    for token in ended { cancel(token) }
    return ended
  }

  /// Takes out those whose time is over, in the order in which they came.
  mutating func takeDue(now: Instant) -> [WaitToken] {
    var due: [WaitToken] = []
    while let first = deadlines.first, first.at <= now || !isWaiting(first) {
      if isWaiting(first) { due.append(first.token) }
      deadlines.removeFirst()
    }
    for token in due { cancel(token) }
    return due.sorted()
  }

  private func isWaiting(_ one: (at: Instant, token: WaitToken)) -> Bool {
    waits[one.token]?.deadline == one.at
  }

  private mutating func passEnded() {
    while let first = deadlines.first, !isWaiting(first) { deadlines.removeFirst() }
  }
}
