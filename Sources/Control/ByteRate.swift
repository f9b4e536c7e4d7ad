/// Bytes per second, as people write them: `500K`, `2M`, `1.5G`, or `none` for no limit.
package enum ByteRate {
  /// Reads one. `lowest`: what it may be at least. Throws: a text that says what is wrong.
  package static func parse(_ text: String, lowest: UInt64) throws(Fault) -> UInt64? {
    if ["none", "0"].contains(text.lowercased()) { return nil }
    var digits = text[...]
    var unit = 1.0
    if let last = digits.last?.uppercased(), let power = ["K", "M", "G", "T"].firstIndex(of: last) {
      digits = digits.dropLast()
      for _ in 0...power { unit *= 1_024 }
    }
    guard let number = Double(digits), number.isFinite, number * unit < 1e15 else {
      throw Fault("'\(text)' is no rate: give bytes per second, as in 500K, 2M or 1.5G, or none")
    }
    let rate = UInt64(max(0, number * unit))
    guard rate >= lowest else {
      throw Fault("\(text): at least \(lowest >> 10)K, or none")
    }
    return rate
  }

  /// `2.0 MiB/s`, or `no limit`.
  package static func text(_ rate: UInt64?) -> String {
    rate.map { "\(Amounts.bytes($0))/s" } ?? "no limit"
  }

  /// What is wrong with one.
  package struct Fault: Error, CustomStringConvertible {
    package let description: String
    init(_ description: String) { self.description = description }
  }
}
