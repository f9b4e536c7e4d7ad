package import Glibc

/// Dates for people.
package enum LocalTime {
  /// `2026-11-21 07:31` in the machine's time zone, of seconds since 1970. Empty where the year is
  /// beyond all calendars.
  package static func text(_ seconds: Int64) -> String {
    var time = time_t(seconds)
    var parts = tm()
    guard localtime_r(&time, &parts) != nil else { return "" }
    var buffer = [CChar](repeating: 0, count: 64)
    // Zero where it does not fit.
    let count = strftime(&buffer, buffer.count, "%Y-%m-%d %H:%M", &parts)
    return String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// `2026-11-21T07:31:05.042+01:00` (RFC 3339), in the machine's time zone. Where no calendar has
  /// the year: seconds since 1970.
  package static func stamp(_ time: timespec) -> String {
    var seconds = time.tv_sec
    var parts = tm()
    guard localtime_r(&seconds, &parts) != nil else { return "@\(time.tv_sec)" }
    let zone = abs(parts.tm_gmtoff) / 60
    return [
      digits(Int(parts.tm_year) + 1900, 4), "-", digits(Int(parts.tm_mon) + 1, 2), "-",
      digits(Int(parts.tm_mday), 2), "T", digits(Int(parts.tm_hour), 2), ":",
      digits(Int(parts.tm_min), 2), ":", digits(Int(parts.tm_sec), 2), ".",
      digits(time.tv_nsec / 1_000_000, 3), parts.tm_gmtoff < 0 ? "-" : "+", digits(zone / 60, 2),
      ":", digits(zone % 60, 2),
    ].joined()
  }

  private static func digits(_ number: Int, _ count: Int) -> String {
    let text = String(number)
    return String(repeating: "0", count: max(0, count - text.utf8.count)) + text
  }
}
