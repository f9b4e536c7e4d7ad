import Protocol

/// What is fetched before anybody asks for it: never more than memory allows.
extension ChunkFetcher {
  /// A program is likely to read these small files soon: their first leaves are fetched, as far as
  /// memory goes.
  package mutating func expect(
    _ contents: [Content], now: Instant, into actions: inout [FetchAction]
  ) {
    guard !isDenied else { return }
    var wanted: [LeafKey] = []
    for content in contents
    where !isHeld(content.file) && !deniedOwners.contains(content.owner) {
      let key = content.key(0)
      if flights[key] != nil || cache.contains(key) { continue }
      guard bytesOnTheirWay + Limits.leaf <= settings.budget / 4 else { break }
      flights[key] = Flight(state: .parked, waiters: [])
      wanted.append(key)
    }
    lastUse = now
    seek(wanted, now: now, into: &actions)
  }

  /// Leaves to fetch ahead of a reader, within the budget.
  mutating func ahead(_ stream: StreamID, starved: Bool, now: Instant) -> [LeafKey] {
    guard let content = streams[stream]?.content, !isHeld(content.file), !isDenied,
      !deniedOwners.contains(content.owner), slots.take(stream, now: now),
      let range = streams[stream]!.ahead(starved: starved, windowLimit: settings.windowLimit)
    else { return [] }
    var wanted: [LeafKey] = []
    let count = UInt64(range.count)
    for index in content.pieces(range.lowerBound, count, scale: Limits.leafScale) {
      let key = content.key(index)
      if flights[key] != nil || cache.contains(key) { continue }
      if bytesOnTheirWay + Limits.leaf > settings.budget / 2 {
        streams[stream]!.shrink(leavingOut: index * UInt64(Limits.leaf))
        break
      }
      flights[key] = Flight(state: .parked, waiters: [])
      wanted.append(key)
    }
    return wanted
  }
}
