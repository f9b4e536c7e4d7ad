/// A moment as file systems tell it: whole seconds since 1970 (UTC), which may lie before it, and
/// the nanoseconds behind them. Whatever date a disk can hold fits, and no arithmetic on it can
/// trap.
package struct FileTime: Hashable, Comparable, Sendable, CustomStringConvertible {
  /// Nanoseconds in a second.
  package static let nanosecondsPerSecond: UInt32 = 1_000_000_000

  package let seconds: Int64
  /// Less than a second, counted forwards, also before 1970.
  package let nanoseconds: UInt32

  /// nil unless `nanoseconds` is less than a second.
  package init?(seconds: Int64, nanoseconds: UInt32) {
    guard nanoseconds < Self.nanosecondsPerSecond else { return nil }
    self.seconds = seconds
    self.nanoseconds = nanoseconds
  }

  /// The second itself.
  package init(seconds: Int64) {
    self.seconds = seconds
    nanoseconds = 0
  }

  /// The next nanosecond; the last of all has none behind it.
  package var next: FileTime {
    if let later = FileTime(seconds: seconds, nanoseconds: nanoseconds + 1) { return later }
    return seconds == .max ? self : FileTime(seconds: seconds + 1)
  }

  /// How much later this is than `earlier`: negative where it is not.
  package func elapsed(since earlier: FileTime) -> Duration {
    // 128 bits of attoseconds hold twice all seconds that there are.
    (.seconds(seconds) + .nanoseconds(Int64(nanoseconds)))
      - (.seconds(earlier.seconds) + .nanoseconds(Int64(earlier.nanoseconds)))
  }

  package static func < (a: FileTime, b: FileTime) -> Bool {
    (a.seconds, a.nanoseconds) < (b.seconds, b.nanoseconds)
  }

  package var description: String {
    let digits = String(nanoseconds)
    return "\(seconds)+0.\(String(repeating: "0", count: 9 - digits.count))\(digits)s"
  }
}

extension ByteWriter {
  /// Int64 seconds, UInt32 nanoseconds.
  package mutating func put(_ time: FileTime) {
    put(UInt64(bitPattern: time.seconds))
    put(time.nanoseconds)
  }
}

extension ByteReader {
  package mutating func fileTime() throws(DecodingFault) -> FileTime {
    let seconds = Int64(bitPattern: try uint64())
    guard let time = FileTime(seconds: seconds, nanoseconds: try uint32()) else {
      throw .invalid("time")
    }
    return time
  }
}
