package import Protocol

/// Leaves that may lie on this machine's disk: they are looked for there before anybody is asked,
/// also while their owner is away or their file is paused.
extension ChunkFetcher {
  /// How long the disk may take before the owner is asked in its place.
  static let recallPatience: Duration = .seconds(1)

  /// Looks for leaves on disk; asks for them where there is none. Requires: each has a flight.
  mutating func seek(_ keys: [LeafKey], now: Instant, into actions: inout [FetchAction]) {
    guard settings.recalls else { return ask(keys, now: now, into: &actions) }
    guard !keys.isEmpty else { return }
    for key in keys { flights[key]!.state = .recalling(since: now) }
    actions.append(.recall(keys))
    let check = now + Self.recallPatience
    nextCheck = min(nextCheck ?? check, check)
  }

  /// A leaf was on disk. One that nobody wants any more is dropped.
  package mutating func recalled(
    _ key: LeafKey, _ leaf: Leaf, now: Instant, into actions: inout [FetchAction]
  ) {
    guard let flight = flights[key] else { return }
    let isRight = flight.waiters.allSatisfy { token in
      guard let read = reads[token] else { return true }
      return leaf.count == read.content.length(of: key.index, scale: key.scale)
    }
    // What an owner once sent in a wrong length is not believed a second time.
    guard isRight else { return notRecalled([key], now: now, into: &actions) }
    flights[key] = nil
    counts.recalled += UInt64(leaf.count)
    deliver(key, leaf, to: flight, into: &actions)
  }

  /// These leaves are not on disk: they are asked for. What cannot be asked for now waits, if
  /// anybody waits for it.
  package mutating func notRecalled(
    _ keys: [LeafKey], now: Instant, into actions: inout [FetchAction]
  ) {
    var wanted: [LeafKey] = []
    for key in keys {
      guard let flight = flights[key], case .recalling = flight.state else { continue }
      if flight.waiters.isEmpty, isHeld(key.file) {
        flights[key] = nil
      } else {
        flights[key]!.state = .parked
        wanted.append(key)
      }
    }
    ask(wanted, now: now, into: &actions)
  }
}
