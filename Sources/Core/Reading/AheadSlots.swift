/// Which open files are fetched ahead: so many at a time, the others when one of these rests.
struct AheadSlots: Sendable {
  /// A file that was not read for so long gives its place to another.
  private static let rest: Duration = .seconds(1)

  private let limit: Int
  private var used: [StreamID: Instant] = [:]

  init(limit: Int) { self.limit = limit }

  /// Whether a file that is being read is fetched ahead now.
  mutating func take(_ stream: StreamID, now: Instant) -> Bool {
    if used[stream] == nil, used.count >= limit {
      guard let oldest = used.min(by: { ($0.value, $0.key) < ($1.value, $1.key) }),
        now - oldest.value >= Self.rest
      else { return false }
      used[oldest.key] = nil
    }
    used[stream] = now
    return true
  }

  mutating func leave(_ stream: StreamID) { used[stream] = nil }
}
