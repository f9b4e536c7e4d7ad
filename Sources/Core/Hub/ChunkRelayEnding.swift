import Protocol

/// How askers hear that a leaf does not come.
extension ChunkRelay {
  /// The owner says that a run does not come.
  mutating func failed(_ failure: ChunkFailure, into actions: inout [HubAction]) {
    for offset in 0..<failure.count {
      let key = failure.key(offset)
      guard let flight = flights.removeValue(forKey: key) else { continue }
      tell(flight, key, failure.reason, retryAfter: failure.retryAfter, into: &actions)
    }
  }

  /// An owner's connection is lost, or it may no longer serve: all who wait for it are told.
  mutating func ownerLost(
    _ owner: PublicID, reason: ChunkFailureReason, into actions: inout [HubAction]
  ) {
    dropFlights(reason, into: &actions) { $0.owner == owner }
  }

  /// An owner is no longer approved: nothing more comes of it, at hand or not.
  mutating func ownerShutOut(_ owner: PublicID, into actions: inout [HubAction]) {
    ownerLost(owner, reason: .denied, into: &actions)
    cache.remove { $0.owner == owner }
  }

  /// The group key has a generation: leaves of older ones go, and who waits for one asks again.
  mutating func generationReached(_ reached: UInt32, into actions: inout [HubAction]) {
    guard reached > generation else { return }
    generation = reached
    dropFlights(.stale, into: &actions) { $0.generation < reached }
    cache.remove { $0.generation < reached }
  }

  /// Ends what is on its way, and what is wanted, of some leaves.
  private mutating func dropFlights(
    _ reason: ChunkFailureReason, into actions: inout [HubAction],
    where isAffected: (LeafKey) -> Bool
  ) {
    let lost = flights.keys.filter(isAffected)
      .sorted { ($0.content, $0.index) < ($1.content, $1.index) }
    for key in lost {
      let flight = flights.removeValue(forKey: key)!
      tell(flight, key, reason, into: &actions)
    }
    for session in askers.keys.sorted() {
      for want in askers[session]!.wanted.remove(where: { isAffected($0.key) }) {
        fail(ChunkRequest(want.key), reason, to: session, into: &actions)
      }
    }
  }

  /// Tells all who wait for a leaf that it does not come. `retryAfter`: milliseconds.
  mutating func tell(
    _ flight: Flight, _ key: LeafKey, _ reason: ChunkFailureReason, retryAfter: UInt32 = 0,
    into actions: inout [HubAction]
  ) {
    for session in flight.askers where askers[session] != nil {
      let reserved = Self.reservation(key)
      askers[session]!.inFlight = max(0, askers[session]!.inFlight - reserved)
      askers[session]!.owe(-reserved, by: flight.owner)
      if !askers[session]!.wanted.isEmpty { freed.insert(session) }
      actions.append(
        .send(
          .chunkFailed(ChunkFailure(key, reason: reason, retryAfter: retryAfter)), to: [session]))
    }
  }

  /// Says no to a run that was asked for.
  func fail(
    _ request: ChunkRequest, _ reason: ChunkFailureReason, to session: SessionID,
    into actions: inout [HubAction]
  ) {
    let retryAfter: UInt32 = [.busy, .stale].contains(reason) ? 100 : 0
    actions.append(
      .send(
        .chunkFailed(ChunkFailure(request, reason: reason, retryAfter: retryAfter)), to: [session]))
  }
}
