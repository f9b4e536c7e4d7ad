import Protocol

/// TLS handshakes are what a stranger can make a hub work for: each address has so many in a
/// second, and ten times as many at once, which is what a house behind one address needs when its
/// hub comes back.
package struct Handshakes {
  /// Addresses that are remembered at most.
  private static let limit = 4_096
  private static let atOnce = 10

  private let perSecond: Int
  private var origins: [PeerOrigin: Allowance] = [:]

  package init(perSecond: Int) { self.perSecond = perSecond }

  /// Whether one more may begin; one that may not costs its address nothing. Amortised O(1).
  package mutating func take(_ origin: PeerOrigin, now: Duration) -> Bool {
    if origins.count >= Self.limit {
      origins = origins.filter { !$0.value.isFull(now: now) }
      // So many at work at once are no single address' doing.
      if origins.count >= Self.limit { origins.removeAll() }
    }
    return origins[
      origin, default: Allowance(perSecond: perSecond, atOnce: Self.atOnce, now: now)
    ].take(now: now)
  }
}
