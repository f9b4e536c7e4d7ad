import System

/// Whether a service loop gets on with its work: it is asked, and must answer on its own thread.
package final class LoopPulse: Sendable {
  private let name: String
  private let ask: @Sendable (@escaping @Sendable () -> Void) -> Void
  /// Since when an answer is awaited; nil where the last one has come.
  private let askedAt = Locked<Duration?>(nil)

  /// `ask` has what it is given called on the loop's thread.
  package init(
    name: String, ask: @escaping @Sendable (@escaping @Sendable () -> Void) -> Void
  ) {
    self.name = name
    self.ask = ask
  }

  /// What is wrong; nil where the last question was answered, or is not older than `patience`. Asks
  /// anew. Never blocks.
  package func trouble(now: Duration, patience: Duration) -> String? {
    if let since = askedAt.withLock({ $0 }) {
      return now - since > patience
        ? "\(name) has not answered for \((now - since).components.seconds) s" : nil
    }
    askedAt.withLock { $0 = now }
    ask { [weak self] in self?.askedAt.withLock { $0 = nil } }
    return nil
  }
}
