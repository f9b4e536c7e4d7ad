package import Logging

/// The least important level that a process writes: one for all its loggers, so that it can be
/// changed while they are in use.
package final class LogThreshold: Sendable {
  private let current: Locked<Logger.Level>

  /// A threshold at a level.
  package init(_ level: Logger.Level) { current = Locked(level) }

  /// The level. Any thread.
  package var level: Logger.Level {
    get { current.withLock { $0 } }
    set { current.withLock { $0 = newValue } }
  }
}
