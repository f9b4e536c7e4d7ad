package import Glibc
package import Logging

/// Writes each log record as one line to standard error, by one `write(2)`; how it begins is in
/// `LogStamp`.
package struct StderrLogHandler: LogHandler {
  /// The least important level that is written: the process's, unless it was set for this one.
  package var logLevel: Logger.Level {
    get { ownLevel ?? threshold.level }
    set { ownLevel = newValue }
  }
  /// Pairs that are added to each record.
  package var metadata: Logger.Metadata = [:]
  /// Adds the pairs of the current task; unused in this program.
  package var metadataProvider: Logger.MetadataProvider?
  private let program: String
  private let threshold: LogThreshold
  private var ownLevel: Logger.Level?
  private let stamp: LogStamp
  private let file: LogFile?

  /// Writes in the name of `program`. `file` is what standard error leads to, where that is a file
  /// whose size is this process's concern.
  package init(
    program: String, threshold: LogThreshold, stamp: LogStamp = .reader(of: STDERR_FILENO),
    file: LogFile? = nil
  ) {
    self.file = file
    self.program = program
    self.threshold = threshold
    self.stamp = stamp
  }

  /// Makes this the handler of every `Logger`. Once in a process, at its start. Returns: the level
  /// from which all of them write.
  @discardableResult
  package static func install(
    program: String, level: Logger.Level, file: LogFile? = nil
  ) -> LogThreshold {
    let threshold = LogThreshold(level)
    let handler = StderrLogHandler(program: program, threshold: threshold, file: file)
    LoggingSystem.bootstrap { _ in handler }
    return threshold
  }

  /// One pair of `metadata`.
  package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  /// Writes a record.
  package func log(event: LogEvent) {
    let bytes = line(event)
    if let file { return file.write(bytes) }
    // A log that cannot be written has nowhere to complain.
    _ = bytes.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
  }

  /// The line of a record, with its newline. Control characters are escaped, since names in a
  /// message may come from a stranger.
  package func line(_ event: LogEvent, at time: timespec = WallClock.now) -> [UInt8] {
    var text = stamp.begin(
      program, level: "\(event.level)", priority: priority(event.level), time: time)
    var escaped = event.message.description
    var pairs = metadata
    if let own = event.metadata { pairs.merge(own) { $1 } }
    if let error = event.error { pairs["error"] = "\(error)" }
    for (key, value) in pairs.sorted(by: { $0.key < $1.key }) { escaped += " \(key)=\(value)" }
    for scalar in escaped.unicodeScalars {
      if let byte = PathText.byte(of: scalar) {
        text += PathText.shown(byte)
      } else if scalar.value < 0x20 || (0x7f...0x9f).contains(scalar.value) {
        text += "\\x" + (scalar.value < 0x10 ? "0" : "") + String(scalar.value, radix: 16)
      } else {
        text.unicodeScalars.append(scalar)
      }
    }
    return Array(text.utf8) + [UInt8(ascii: "\n")]
  }
}

/// The levels of syslog(3).
private func priority(_ level: Logger.Level) -> Int {
  switch level {
  case .critical: 2
  case .error: 3
  case .warning: 4
  case .notice: 5
  case .info: 6
  case .debug, .trace: 7
  }
}
