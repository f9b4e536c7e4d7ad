package import Logging

/// A log that strangers cannot write full: so many lines of a kind in a while, and how many more
/// there were.
package final class LogBudget: Sendable {
  private struct Window {
    let level: Logger.Level
    let began: Duration
    var lines = 0
    var dropped = 0
  }

  private let log: Logger
  private let lines: Int
  private let span: Duration
  private let windows = Locked<[String: Window]>([:])

  /// At most `lines` of each kind in `span`.
  package init(_ log: Logger, lines: Int = 10, span: Duration = .seconds(10)) {
    self.log = log
    self.lines = lines
    self.span = span
  }

  /// Writes a line, or counts it. `kind`: one of the caller's few, never something that a peer
  /// chooses. Any thread.
  package func log(
    _ level: Logger.Level, _ kind: String, _ text: @autoclosure () -> Logger.Message,
    metadata: @autoclosure () -> Logger.Metadata? = nil, now: Duration = MonotonicClock.now
  ) {
    guard log.logLevel <= level else { return }
    let (isShown, before) = windows.withLock { windows -> (Bool, Window?) in
      var window = windows[kind]
      var before: Window?
      if let old = window, now - old.began >= span {
        before = old
        window = nil
      }
      var current = window ?? Window(level: level, began: now)
      let isShown = current.lines < lines
      if isShown { current.lines += 1 } else { current.dropped += 1 }
      windows[kind] = current
      return (isShown, before)
    }
    if let before { summarise(kind, before) }
    if isShown { log.log(level: level, text(), metadata: metadata()) }
  }

  /// Says what was counted in the whiles that are over. Call it now and then; any thread.
  package func tick(now: Duration = MonotonicClock.now) {
    let over = windows.withLock { windows -> [String: Window] in
      let over = windows.filter { now - $0.value.began >= span }
      for kind in over.keys { windows[kind] = nil }
      return over
    }
    for (kind, window) in over.sorted(by: { $0.key < $1.key }) { summarise(kind, window) }
  }

  private func summarise(_ kind: String, _ window: Window) {
    guard window.dropped > 0 else { return }
    log.log(level: window.level, "\(kind): and \(window.dropped) more like this")
  }
}
