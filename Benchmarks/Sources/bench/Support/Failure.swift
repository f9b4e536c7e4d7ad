import Glibc

/// Why there is no measurement.
struct Failure: Error, CustomStringConvertible {
  let description: String

  init(_ text: String) { description = text }

  /// The failure of the system call that was just made.
  static func call(_ what: String) -> Failure {
    let code = errno
    return Failure("\(what): \(String(cString: strerror(code)))")
  }
}

/// The result of a call that is not negative; tried again where a signal came between. Throws, too,
/// when the user wants an end.
@discardableResult
func checked<Value: SignedInteger>(_ what: String, _ call: () -> Value) throws -> Value {
  while true {
    try Interruption.check()
    let value = call()
    if value >= 0 { return value }
    if errno != EINTR { throw Failure.call(what) }
  }
}

/// A line for the user.
func say(_ text: String) { writeLine(text, to: 1) }

/// A line on stderr.
func complain(_ text: String) { writeLine(text, to: 2) }

private func writeLine(_ text: String, to descriptor: Int32) {
  let bytes = Array((text + "\n").utf8)
  _ = write(descriptor, bytes, bytes.count)
}
