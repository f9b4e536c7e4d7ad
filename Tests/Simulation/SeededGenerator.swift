/// SplitMix64: all of a history follows from its seed (Steele, Lea, Flood 2014).
package struct SeededGenerator: RandomNumberGenerator, Sendable {
  private var state: UInt64

  package init(seed: UInt64) { state = seed }

  package mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }

  /// A number from 0 up to, not including, `limit`. Requires: `limit > 0`.
  package mutating func below(_ limit: Int) -> Int { Int(next() % UInt64(limit)) }

  /// True in `permille` of 1000 cases.
  package mutating func chance(_ permille: Int) -> Bool { below(1_000) < permille }

  /// One of `choices`; nil where there is none.
  package mutating func pick<Item>(_ choices: [Item]) -> Item? {
    choices.isEmpty ? nil : choices[below(choices.count)]
  }

  /// A span of `range` milliseconds, to the microsecond.
  package mutating func span(_ range: ClosedRange<Int>) -> Duration {
    .microseconds(
      range.lowerBound * 1_000 + below((range.upperBound - range.lowerBound) * 1_000 + 1))
  }
}
