package import Glibc

/// How each line of a log begins, and who reads it.
package enum LogStamp: Sendable, Equatable {
  /// The journal of systemd, which notes time, program and process itself: `<4>`.
  case journal
  /// A file, a terminal or a pipe: `2026-11-21T07:31:05.042+01:00 fsharefs[123] warning: `.
  case plain

  /// Who reads what goes to a descriptor of this process.
  package static func reader(of descriptor: Int32) -> LogStamp {
    // sd-daemon(3): the variable is inherited by shells, and by what they start with other
    // outputs, so it counts only if it names this very stream.
    guard let stream = Environment.get("JOURNAL_STREAM"),
      let stat = try? Stat(descriptor: descriptor), stream == "\(stat.dev):\(stat.ino)"
    else { return .plain }
    return .journal
  }

  /// The begin of a line of `program`. `level`: its name; `priority`: its number in syslog(3).
  package func begin(
    _ program: String, level: String, priority: Int, time: timespec = WallClock.now
  ) -> String {
    switch self {
    case .journal: "<\(priority)>"
    case .plain: "\(LocalTime.stamp(time)) \(program)[\(getpid())] \(level): "
    }
  }
}
