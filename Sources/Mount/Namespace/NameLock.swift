import System

/// One change of names in the own folder at a time, with all that follows from it in the namespace.
/// Held while the disk works, so only by threads that may wait for it.
final class NameLock: Sendable {
  private let lock = Locked((), rank: .names)

  /// Runs `body` while no name changes but by it; it is given what proves that.
  func withLock<Result, Fault: Error>(
    _ body: (borrowing NamesHeld) throws(Fault) -> Result
  ) throws(Fault) -> Result {
    let outcome = lock.withLock { _ -> Swift.Result<Result, Fault> in
      do throws(Fault) { return .success(try body(NamesHeld())) } catch { return .failure(error) }
    }
    return try outcome.get()
  }
}

/// That this thread holds the `NameLock`. It can be lent, never kept: what takes one as a parameter
/// is only called with the lock held.
struct NamesHeld: ~Copyable {
  fileprivate init() {}
}
