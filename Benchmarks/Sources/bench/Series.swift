/// The numbers of all rounds, by contender and by what was measured.
struct Series {
  private var values: [String: [Double]] = [:]

  mutating func add(_ value: Double, _ contender: String, _ what: String) {
    values["\(contender)/\(what)", default: []].append(value)
  }

  /// In the order of the rounds.
  subscript(contender: String, what: String) -> [Double] { values["\(contender)/\(what)"] ?? [] }
}
