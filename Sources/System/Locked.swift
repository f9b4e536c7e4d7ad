/// A value that several threads share, reachable only with its lock held.
// SAFETY: `value` is touched only inside `withLock`, with the mutex held.
package final class Locked<Value>: @unchecked Sendable {
  @usableFromInline
  let mutex = PlatformMutex()
  @usableFromInline
  var value: Value

  /// Puts a value under a lock.
  package init(_ value: Value) {
    self.value = value
  }

  /// Runs `body` with the lock held. Not reentrant; `body` should be short and call nobody else.
  @inlinable
  package func withLock<Result>(_ body: (inout Value) throws -> Result) rethrows -> Result {
    mutex.lock()
    defer { mutex.unlock() }
    return try body(&value)
  }
}
