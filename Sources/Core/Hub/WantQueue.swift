import DequeModule

/// What a session has asked for and waits for its credit: what a program waits for now goes before
/// what is read in bulk, each in its order. Each owner has a line of its own, so that one that
/// gives nothing is passed over.
struct WantQueue: Sendable {
  private struct Numbered: Sendable {
    let number: UInt64
    let want: ChunkRelay.Want
  }

  private struct Line: Sendable {
    var urgent: Deque<Numbered> = []
    var bulk: Deque<Numbered> = []
  }

  /// By whom was asked; nil: nobody could be. None is empty.
  private var lines: [SessionID?: Line] = [:]
  private var lastNumber: UInt64 = 0
  private(set) var count = 0

  var isEmpty: Bool { count == 0 }

  mutating func append(_ want: ChunkRelay.Want, isUrgent: Bool) {
    lastNumber += 1
    count += 1
    let numbered = Numbered(number: lastNumber, want: want)
    if isUrgent {
      lines[want.owner, default: Line()].urgent.append(numbered)
    } else {
      lines[want.owner, default: Line()].bulk.append(numbered)
    }
  }

  /// The first whose turn it can be now. Complexity: O(owners).
  mutating func popFirst(
    where isReady: (_ want: ChunkRelay.Want, _ isUrgent: Bool) -> Bool
  ) -> ChunkRelay.Want? {
    pop(\.urgent) { isReady($0, true) } ?? pop(\.bulk) { isReady($0, false) }
  }

  /// Takes some out, in their order. Complexity: O(n log n).
  mutating func remove(where isAffected: (ChunkRelay.Want) -> Bool) -> [ChunkRelay.Want] {
    var removed: (urgent: [Numbered], bulk: [Numbered]) = ([], [])
    for owner in lines.keys {
      guard var line = lines.removeValue(forKey: owner) else { continue }
      removed.urgent += line.urgent.filter { isAffected($0.want) }
      removed.bulk += line.bulk.filter { isAffected($0.want) }
      line.urgent.removeAll { isAffected($0.want) }
      line.bulk.removeAll { isAffected($0.want) }
      if !line.urgent.isEmpty || !line.bulk.isEmpty { lines[owner] = line }
    }
    count -= removed.urgent.count + removed.bulk.count
    return [removed.urgent, removed.bulk].flatMap { some in
      some.sorted { $0.number < $1.number }.map(\.want)
    }
  }

  private mutating func pop(
    _ part: WritableKeyPath<Line, Deque<Numbered>>, where isReady: (ChunkRelay.Want) -> Bool
  ) -> ChunkRelay.Want? {
    var first: Numbered?
    for line in lines.values {
      guard let head = line[keyPath: part].first, first.map({ head.number < $0.number }) ?? true,
        isReady(head.want)
      else { continue }
      first = head
    }
    guard let want = first?.want, var line = lines.removeValue(forKey: want.owner) else {
      return nil
    }
    count -= 1
    line[keyPath: part].removeFirst()
    if !line.urgent.isEmpty || !line.bulk.isEmpty { lines[want.owner] = line }
    return want
  }
}
