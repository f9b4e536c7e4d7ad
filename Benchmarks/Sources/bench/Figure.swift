/// What a figure is to reach.
struct Bar {
  enum Direction: String { case atLeast, atMost }

  let direction: Direction
  /// The bar; nil where there is only a goal.
  let must: Double?
  /// The goal; nil where there is only a bar.
  let aim: Double?

  static func atLeast(_ must: Double?, aim: Double?) -> Bar {
    Bar(direction: .atLeast, must: must, aim: aim)
  }

  static func atMost(_ must: Double?, aim: Double?) -> Bar {
    Bar(direction: .atMost, must: must, aim: aim)
  }

  /// Whether a value is on the right side of a limit.
  func holds(_ value: Double, _ limit: Double) -> Bool {
    direction == .atLeast ? value >= limit : value <= limit
  }
}

/// One line of the table: what fsharefs does, by itself or as a multiple of what a peer does.
struct Figure {
  let title: String
  /// Of `ours` and `theirs`.
  let unit: String
  /// One value for each round.
  let ours: [Double]
  /// The peer's name and its values, of the same rounds; nil: the value itself is what counts.
  let peer: (name: String, values: [Double])?
  let bar: Bar

  init(
    _ title: String, _ unit: String, _ ours: [Double], against peer: (String, [Double])? = nil,
    _ bar: Bar
  ) {
    self.title = title
    self.unit = unit
    self.ours = ours
    self.peer = peer.map { (name: $0.0, values: $0.1) }
    self.bar = bar
  }

  /// What the bar is held against: the median of the rounds' ratios, or of the values.
  var result: Double {
    guard let peer else { return median(ours) }
    return median(zip(ours, peer.values).map { $0 / $1 })
  }

  /// What the table says about it.
  var verdict: String {
    if let aim = bar.aim, bar.holds(result, aim) { return "aim" }
    guard let must = bar.must else { return "below aim" }
    return bar.holds(result, must) ? "must" : "MISSED"
  }
}

/// The middle one; of an even number the mean of the two in the middle. NaN of none.
func median(_ values: [Double]) -> Double {
  let sorted = values.sorted()
  guard !sorted.isEmpty else { return .nan }
  let middle = sorted.count / 2
  return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}
