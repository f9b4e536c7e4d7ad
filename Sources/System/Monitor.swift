/// A value under a lock that threads can also wait on.
// SAFETY: `value` is touched only with the mutex held.
package final class Monitor<Value>: @unchecked Sendable {
  @usableFromInline
  let mutex = PlatformMutex()
  @usableFromInline
  let condition = PlatformCondition()
  @usableFromInline
  var value: Value

  /// Puts a value under a lock.
  package init(_ value: Value) {
    self.value = value
  }

  /// Runs `body` with the lock held, and wakes nobody.
  @inlinable
  package func withLock<Result>(_ body: (inout Value) throws -> Result) rethrows -> Result {
    mutex.lock()
    defer { mutex.unlock() }
    return try body(&value)
  }

  /// Runs `body` with the lock held, then wakes every waiting thread.
  @inlinable
  package func update<Result>(_ body: (inout Value) throws -> Result) rethrows -> Result {
    defer { condition.broadcast() }
    return try withLock(body)
  }

  /// Wakes one waiting thread: cheaper than `update` where any one will do.
  package func signal() { condition.signal() }

  /// Waits until `body`, run with the lock held, answers something; nil after `timeout`.
  @inlinable
  package func wait<Result>(
    timeout: Duration? = nil, for body: (inout Value) throws -> Result?
  ) rethrows -> Result? {
    let deadline = timeout.map { MonotonicClock.now + $0 }
    mutex.lock()
    defer { mutex.unlock() }
    while true {
      if let result = try body(&value) { return result }
      if !condition.wait(mutex, until: deadline) { return try body(&value) }
    }
  }
}
