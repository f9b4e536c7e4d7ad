import Glibc

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
}
