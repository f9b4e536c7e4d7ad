import CWebSockets
import Logging

/// Sends what libwebsockets says to the log. It logs what strangers do to the port, so all of it is
/// for debugging: what matters is reported by this module itself.
func quietLibrary() { _ = installed }

private let log = Logger(label: "libwebsockets")

private let installed: Void = lws_set_log_level(LLL_ERR | LLL_WARN, libraryCallback)

private func libraryCallback(_ level: Int32, _ line: UnsafePointer<CChar>?) {
  guard let line else { return }
  // SAFETY: a NUL-terminated line, copied at once.
  var text = String(cString: line)
  while text.last?.isNewline == true { text.removeLast() }
  log.debug("\(text)")
}
