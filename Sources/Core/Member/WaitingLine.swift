import DequeModule
import Protocol

/// The changes of an outbox that wait, in order. What is taken out of the middle leaves a gap,
/// which is passed over: to close it would cost as much as the line is long, for each of as many.
struct WaitingLine: Sendable {
  /// nil: a gap. The first and the last are none.
  private var places: Deque<Outbox.Waiting?> = []
  /// The number of the first place; each that is ever taken has the next.
  private var firstNumber = 0
  /// In which place the add of an entry waits.
  private var adds: [EntryID: Int] = [:]
  private var gaps = 0

  /// How many wait.
  var count: Int { places.count - gaps }

  /// The first that waits.
  var first: Outbox.Waiting? { places.first ?? nil }

  func isWaitingToAdd(_ id: EntryID) -> Bool { adds[id] != nil }

  /// Puts an add at the end, unless one of the same entry waits.
  mutating func add(_ id: EntryID) {
    guard adds[id] == nil else { return }
    adds[id] = firstNumber + places.count
    places.append(.add(id))
  }

  /// Puts a change at the end that is no add.
  mutating func append(_ change: Outbox.Waiting) { places.append(change) }

  /// Takes the add of an entry out. Complexity: amortised O(1).
  mutating func withdrawAdd(_ id: EntryID) {
    guard let number = adds.removeValue(forKey: id) else { return }
    places[number - firstNumber] = nil
    gaps += 1
    while let last = places.last, last == nil {
      places.removeLast()
      gaps -= 1
    }
    passGaps()
    if gaps > places.count / 2 { closeGaps() }
  }

  mutating func pop() -> Outbox.Waiting? {
    guard let first = places.popFirst() ?? nil else { return nil }
    firstNumber += 1
    if case .add(let id) = first { adds[id] = nil }
    passGaps()
    return first
  }

  /// Puts the adds in the order of `key`, each in a place that an add had before.
  mutating func sortAdds(by key: (EntryID) -> [UInt8]) {
    let sorted = adds.keys.map { (key: key($0), id: $0) }
      .sorted { ($0.key, $0.id) < ($1.key, $1.id) }
    for (number, one) in zip(adds.values.sorted(), sorted) {
      adds[one.id] = number
      places[number - firstNumber] = .add(one.id)
    }
  }

  private mutating func passGaps() {
    while let first = places.first, first == nil {
      places.removeFirst()
      firstNumber += 1
      gaps -= 1
    }
  }

  /// Makes the line as long as what waits in it. Complexity: O(places), half of which were gaps.
  private mutating func closeGaps() {
    places.removeAll { $0 == nil }
    gaps = 0
    for (index, place) in places.enumerated() {
      if case .add(let id) = place { adds[id] = firstNumber + index }
    }
  }
}

/// Keys of a sort: by bytes, then by id.
private func < (one: ([UInt8], EntryID), other: ([UInt8], EntryID)) -> Bool {
  one.0 == other.0 ? one.1 < other.1 : one.0.lexicographicallyPrecedes(other.0)
}
