import Mount
import System

/// Looks whether the threads that take the kernel's requests get on.
final class MountWatch: Sendable {
  private struct Seen {
    var turns: UInt64
    let since: Duration
  }

  private let seen = Locked<Seen?>(nil)

  /// What is wrong; nil where all is well. `turns`: how often a thread has come back for the next
  /// request, where none waits for one.
  func trouble(turns: UInt64?, now: Duration, patience: Duration) -> String? {
    seen.withLock { seen in
      guard let turns else {
        seen = nil
        return nil
      }
      guard let before = seen, before.turns == turns else {
        seen = Seen(turns: turns, since: now)
        return nil
      }
      let time = now - before.since
      return time > patience
        ? "no request of the kernel was taken for \(time.components.seconds) s" : nil
    }
  }
}
