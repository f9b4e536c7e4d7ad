import Protocol

/// Since when members are where they are.
struct PresenceTimes: Sendable {
  private var known: [PublicID: (presence: Presence, since: Int64?)] = [:]

  /// The hub's word on a member. `now`: seconds since 1970. The first word tells nothing of its
  /// beginning. Returns: whether it is news of somebody of whom there was one before.
  mutating func note(_ publicID: PublicID, _ presence: Presence, now: Int64) -> Bool {
    let before = known[publicID]
    if before?.presence == presence { return false }
    known[publicID] = (presence, before == nil ? nil : now)
    return before != nil
  }

  /// Seconds since 1970; nil where it was so when this process came.
  func since(_ publicID: PublicID) -> Int64? { known[publicID]?.since }
}
