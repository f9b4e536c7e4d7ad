import Glibc

/// A failed system call: what was tried, on what, and why it failed.
package struct SystemError: Error, Equatable, CustomStringConvertible {
  /// The `errno` of the failed call.
  package let code: Int32
  /// What was tried, on what: `open /x`.
  package let call: String

  /// An error with a given `errno`.
  package init(code: Int32, call: String) {
    self.code = code
    self.call = call
  }

  /// The error of the call that has just failed in this thread; to be made before anything else
  /// can change `errno`.
  package init(_ call: String) {
    self.init(code: errno, call: call)
  }

  /// `open /x: No such file or directory`.
  package var description: String { "\(call): \(SystemError.reason(code))" }

  /// The text of an `errno`.
  package static func reason(_ code: Int32) -> String {
    var buffer = [CChar](repeating: 0, count: 128)
    // SAFETY: GNU's strerror_r returns either `buffer`, which outlives the copy made here, or a
    // string that is never freed; both are NUL-terminated.
    return buffer.withUnsafeMutableBufferPointer { space in
      guard let base = space.baseAddress, let text = strerror_r(code, base, space.count) else {
        return "error \(code)"
      }
      return String(cString: text)
    }
  }
}

/// Runs a system call until it is not interrupted by a signal. Throws what it failed with.
@discardableResult
package func retryingOnInterrupt<Result: SignedInteger & FixedWidthInteger>(
  _ call: @autoclosure () -> String, _ body: () -> Result
) throws(SystemError) -> Result {
  while true {
    let result = body()
    if result >= 0 { return result }
    let code = errno
    if code != EINTR { throw SystemError(code: code, call: call()) }
  }
}
