package import Protocol

/// Counts the bytes of files that come or go, and how fast: one lookup and no allocation a leaf.
package struct TransferMeter: Sendable {
  /// What is counted together.
  package struct Flow: Sendable {
    package let owner: PublicID
    /// Bytes since the flow began; one that rested for a minute begins anew.
    package private(set) var bytes: UInt64 = 0
    /// When the latest bytes came or went.
    package fileprivate(set) var lastAt: Instant
    private let began: Instant
    /// Bytes of the latest slots of time; the one at `latestSlot` is still being filled.
    private var slots = SIMD8<UInt64>()
    private var latestSlot: Int64

    fileprivate init(owner: PublicID, now: Instant) {
      self.owner = owner
      lastAt = now
      began = now
      latestSlot = TransferMeter.slot(now)
    }

    fileprivate mutating func add(_ count: Int, now: Instant) {
      advance(to: TransferMeter.slot(now))
      slots[Int(latestSlot & 7)] &+= UInt64(count)
      bytes &+= UInt64(count)
      lastAt = now
    }

    /// Empties the slots of the time in which nothing came.
    private mutating func advance(to slot: Int64) {
      guard slot > latestSlot else { return }
      for passed in (max(latestSlot + 1, slot - 7)...slot) { slots[Int(passed & 7)] = 0 }
      latestSlot = slot
    }

    /// Bytes per second over the last four seconds, or since it began.
    package func rate(now: Instant) -> Double {
      var recent = self
      recent.advance(to: TransferMeter.slot(now))
      let first = TransferMeter.slotLength * Double(recent.latestSlot - 7)
      // Of a burst that has only begun nobody can tell the rate: half a second is the shortest
      // measure.
      let time = max((now - max(first, began)) / .seconds(1), 0.5)
      return Double(recent.slots.wrappedSum()) / time
    }
  }

  private static let slotLength = Duration.milliseconds(500)
  /// What comes later than this after the bytes before is another transfer.
  private static let longestRest: Duration = .seconds(60)
  /// Flows that are remembered at most.
  static let limit = 256

  private var flows: [VersionKey: Flow] = [:]

  /// Nothing was counted yet.
  package init() {}

  /// Bytes of a leaf came or went.
  package mutating func note(_ leaf: LeafKey, bytes: Int, now: Instant) {
    let key = leaf.content
    if let lastAt = flows[key]?.lastAt {
      if now - lastAt <= Self.longestRest {
        flows[key]!.add(bytes, now: now)
        return
      }
    } else if flows.count >= Self.limit {
      dropOldest()
    }
    var flow = Flow(owner: leaf.owner, now: now)
    flow.add(bytes, now: now)
    flows[key] = flow
  }

  /// Some flows go on after a pause: that was no rest.
  package mutating func goOn(now: Instant, where isOne: (VersionKey) -> Bool = { _ in true }) {
    for key in flows.keys.filter(isOne) { flows[key]!.lastAt = now }
  }

  /// What was counted for a version; nil where nothing was, or it is long ago.
  package subscript(key: VersionKey) -> Flow? { flows[key] }

  /// The versions of which bytes came or went not longer ago than this.
  package func active(within time: Duration, now: Instant) -> [VersionKey] {
    flows.filter { now - $0.value.lastAt <= time }.map(\.key)
  }

  /// Makes room for as many again.
  private mutating func dropOldest() {
    let oldest = flows.sorted { $0.value.lastAt < $1.value.lastAt }.prefix(Self.limit / 2)
    for (key, _) in oldest { flows[key] = nil }
  }

  private static func slot(_ now: Instant) -> Int64 { Int64(now / slotLength) }
}
