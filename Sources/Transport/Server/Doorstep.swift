import DequeModule

/// Connections for which nothing was done yet but to accept them: they cost a descriptor and a few
/// hundred bytes, so a whole group may stand here when its hub comes back. Those that have said
/// what they want come in one after the other, each origin in its turn, so that nobody's crowd is
/// in the way of anybody else.
package struct Doorstep {
  private let limit: Int
  private var origins: [ConnectionID: PeerOrigin] = [:]
  /// Those who have said what they want, and maybe some that are gone.
  private var lines: [PeerOrigin: Deque<ConnectionID>] = [:]
  private var turns: Deque<PeerOrigin> = []
  /// Origins that are looked at for one that may come in.
  private static let looks = 16

  /// For at most `limit` connections.
  package init(limit: Int) { self.limit = limit }

  /// How many there are.
  package var count: Int { origins.count }

  /// Whether somebody waits for its turn.
  package var isWaitedAt: Bool { !turns.isEmpty }

  /// One more, the latest of all.
  package mutating func add(_ id: ConnectionID, from origin: PeerOrigin) { origins[id] = origin }

  /// It is gone, or in.
  package mutating func remove(_ id: ConnectionID) { origins[id] = nil }

  /// It has said what it wants, and waits for its turn.
  package mutating func line(_ id: ConnectionID) {
    guard let origin = origins[id] else { return }
    lines[origin, default: []].append(id)
    if lines[origin]!.count == 1 { turns.append(origin) }
  }

  /// Takes out whoever comes in next: the first of the next origin of which one more `mayEnter`.
  /// nil where there is none among the next few. Amortised O(1).
  package mutating func next(mayEnter: (PeerOrigin) -> Bool) -> ConnectionID? {
    for _ in 0..<min(Self.looks, turns.count) {
      guard let origin = turns.popFirst(), var line = lines.removeValue(forKey: origin) else {
        continue
      }
      while let first = line.first, origins[first] == nil { line.removeFirst() }
      guard let first = line.first else { continue }
      let enters = mayEnter(origin)
      if enters {
        line.removeFirst()
        origins[first] = nil
      }
      if !line.isEmpty {
        lines[origin] = line
        turns.append(origin)
      }
      if enters { return first }
    }
    return nil
  }

  /// Takes out who gives way where there are more than the limit, some at a time: the oldest of the
  /// origins that have most. Complexity: O(n log n), once for each sixteenth of the limit.
  package mutating func overflow() -> [ConnectionID] {
    guard origins.count > limit else { return [] }
    var byOrigin: [PeerOrigin: [ConnectionID]] = [:]
    for (id, origin) in origins { byOrigin[origin, default: []].append(id) }
    // What each origin may keep, so that so many leave: the most that is little enough.
    let wanted = max(1, limit / 16)
    var (least, most) = (0, byOrigin.values.reduce(0) { max($0, $1.count) })
    while least < most {
      let kept = (least + most + 1) / 2
      let leaving = byOrigin.values.reduce(0) { $0 + max(0, $1.count - kept) }
      if leaving >= wanted { least = kept } else { most = kept - 1 }
    }
    let leaving = byOrigin.values.flatMap { $0.sorted().prefix(max(0, $0.count - least)) }
      .sorted().prefix(wanted)
    for id in leaving { origins[id] = nil }
    return Array(leaving)
  }
}
