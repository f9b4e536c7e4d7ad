import Protocol

/// What everyone is to be told of where clients are.
///
/// Each is told of each, so a crowd whose hub comes back would have it say the square of their
/// number. A change is told at once while there are few; where more is to be said in a second than
/// `sendsPerSecond`, changes are gathered, and told together as soon as that allows.
struct PresenceNews: Sendable {
  /// What is not told yet of one client.
  private struct Change {
    var presence: Presence
    /// Whether it was gone or away in between: who waits for it asks again when it is back.
    var wasLost: Bool
  }

  /// Messages about presence in a second, to all receivers together: a tenth of a hub's time.
  private static let sendsPerSecond = 10_000
  /// What may be said at once, after a pause.
  private static let sendsAtOnce = 2_500

  private var changes: [PublicID: Change] = [:]
  /// Messages that may be sent now; less than nothing where more was sent than that.
  private var credit = PresenceNews.sendsAtOnce
  private var refilledAt: Instant

  init(now: Instant) { refilledAt = now }

  /// When what was gathered may be told; nil where nothing was.
  var nextDeadline: Instant? {
    changes.isEmpty
      ? nil : refilledAt + .seconds(1) * (1 - min(0, credit)) / Self.sendsPerSecond
  }

  /// Whether a change may be told at once to so many; else it is `gathered`.
  mutating func mayTell(_ receivers: Int) -> Bool {
    guard changes.isEmpty, credit > 0 else { return false }
    credit -= receivers
    return true
  }

  /// A change is told later.
  mutating func gather(_ publicID: PublicID, _ presence: Presence) {
    let wasLost = changes[publicID]?.wasLost ?? false
    changes[publicID] = Change(presence: presence, wasLost: wasLost || presence != .online)
  }

  /// What is to be told now to so many receivers, in order.
  mutating func take(now: Instant, receivers: Int) -> [Message] {
    let due = (now - refilledAt) / .seconds(1) * Double(Self.sendsPerSecond)
    if due >= 1 {
      credit = min(Self.sendsAtOnce, credit + Int(min(due, 1e9)))
      refilledAt = now
    }
    guard !changes.isEmpty, credit > 0 else { return [] }
    var lists: [Presence: [PublicID]] = [:]
    for publicID in changes.keys.sorted() {
      let change = changes[publicID]!
      if change.wasLost, change.presence == .online { lists[.away, default: []].append(publicID) }
      lists[change.presence, default: []].append(publicID)
    }
    changes = [:]
    let messages = PresenceNews.messages(lists)
    credit -= messages.count * receivers
    return messages
  }

  /// Who is gone, away and online, in that order.
  static func messages(_ lists: [Presence: [PublicID]]) -> [Message] {
    var messages: [Message] = []
    for (presence, make) in [
      (Presence.gone, Message.gone), (.away, Message.away), (.online, Message.online),
    ] {
      var rest = lists[presence, default: []][...]
      while !rest.isEmpty {
        messages.append(make(Array(rest.prefix(Limits.presencePerMessage))))
        rest = rest.dropFirst(Limits.presencePerMessage)
      }
    }
    return messages
  }
}
