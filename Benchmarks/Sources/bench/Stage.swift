/// What a row has to work with.
struct Stage {
  /// One way of doing what a row measures. `measure` is given a number that is new each time, for
  /// files that no cache has seen, and returns numbers by what they are.
  struct Contender {
    let name: String
    let measure: (_ seed: UInt64) throws -> [String: Double]

    init(_ name: String, _ measure: @escaping (_ seed: UInt64) throws -> [String: Double]) {
      self.name = name
      self.measure = measure
    }
  }

  let options: Options
  let scratch: Scratch
  /// The row's name.
  let row: String

  /// Lets all contenders measure once in each round, so that what the machine does meanwhile hits
  /// each alike; another one begins each time.
  func rounds(_ contenders: [Contender]) throws -> Series {
    var series = Series()
    var seed: UInt64 = 0
    for round in 0..<options.runs {
      for turn in contenders.indices {
        try Interruption.check()
        let contender = contenders[(turn + round) % contenders.count]
        seed += 1
        let measured = try contender.measure(seed)
        for (what, value) in measured { series.add(value, contender.name, what) }
        let text = measured.sorted { $0.key < $1.key }.map { "\($0.key) \(rounded($0.value))" }
        complain("\(row) \(round + 1): \(contender.name): \(text.joined(separator: ", "))")
      }
    }
    return series
  }
}

/// For people: two digits behind the point for small numbers, none for large ones.
func rounded(_ value: Double) -> String {
  guard value.isFinite else { return "-" }
  if abs(value) >= 99.995 { return "\(Int(value.rounded()))" }
  let hundredths = Int((abs(value) * 100).rounded())
  let digits = hundredths % 100
  return "\(value < 0 ? "-" : "")\(hundredths / 100).\(digits < 10 ? "0" : "")\(digits)"
}
