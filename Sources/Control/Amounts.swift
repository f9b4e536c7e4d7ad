/// Numbers with their units, for people.
enum Amounts {
  private static let units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"]

  /// `12.3 MiB`.
  static func bytes(_ count: UInt64) -> String {
    let unit = unit(of: count)
    return "\(number(count, unit)) \(units[unit])"
  }

  /// `12.3 of 40.0 MiB`, both in the unit of the larger.
  static func bytes(_ count: UInt64, of whole: UInt64) -> String {
    let unit = unit(of: max(count, whole))
    return "\(number(count, unit)) of \(number(whole, unit)) \(units[unit])"
  }

  /// `6 s`, `3 min 20 s`, `2 h 5 min`, `3 d 4 h`.
  static func time(seconds: UInt64) -> String {
    switch seconds {
    case ..<60: "\(seconds) s"
    case ..<3_600: "\(seconds / 60) min \(seconds % 60) s"
    case ..<86_400: "\(seconds / 3_600) h \(seconds / 60 % 60) min"
    default: "\(seconds / 86_400) d \(seconds / 3_600 % 24) h"
    }
  }

  /// `1 leaf`, `2 leaves`.
  static func count(_ number: Int, _ one: String, _ many: String) -> String {
    "\(number) \(number == 1 ? one : many)"
  }

  private static func unit(of count: UInt64) -> Int {
    var unit = 0
    while unit + 1 < units.count, count >> UInt64(10 * (unit + 1)) > 0 { unit += 1 }
    return unit
  }

  private static func number(_ count: UInt64, _ unit: Int) -> String {
    if unit == 0 { return "\(count)" }
    let whole = count >> UInt64(10 * unit)
    let rest = (count >> UInt64(10 * (unit - 1))) & 1_023
    return "\(whole).\(rest * 10 / 1_024)"
  }
}
