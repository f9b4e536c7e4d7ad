/// A value that several threads share, reachable only with its lock held.
// SAFETY: `value` is touched only inside `withLock`, with the mutex held.
package final class Locked<Value>: @unchecked Sendable {
  @usableFromInline
  let mutex = PlatformMutex()
  @usableFromInline
  let rank: LockRank?
  @usableFromInline
  var value: Value

  /// Puts a value under a lock. `rank`: its place in the order of locks; nil: that is not checked.
  package init(_ value: Value, rank: LockRank? = nil) {
    self.value = value
    self.rank = LockRank.isChecked ? rank : nil
  }

  /// Runs `body` with the lock held. Not reentrant; `body` should be short and call nobody else.
  @inlinable
  package func withLock<Result>(_ body: (inout Value) throws -> Result) rethrows -> Result {
    rank?.enter()
    mutex.lock()
    defer {
      mutex.unlock()
      rank?.leave()
    }
    return try body(&value)
  }
}
