import Glibc

/// What another process holds, and may be about to let go of.
package enum Release {
  /// The time between two tries.
  private static let pause: Duration = .milliseconds(20)

  /// Tries `body` for as long as it throws EWOULDBLOCK, until the limit. Blocks.
  package static func wait<Result>(
    atMost limit: Duration, _ body: () throws(SystemError) -> Result
  ) throws(SystemError) -> Result {
    let deadline = MonotonicClock.now + limit
    while true {
      do throws(SystemError) { return try body() } catch {
        guard error.code == EWOULDBLOCK, MonotonicClock.now < deadline else { throw error }
      }
      _ = poll(nil, 0, Int32(pause.components.attoseconds / 1_000_000_000_000_000))
    }
  }
}
