import Glibc

/// Ctrl-C and SIGTERM: the bench stops at its next step and cleans up.
enum Interruption {
  // SAFETY: written by a signal handler, one word, and only ever compared with zero.
  nonisolated(unsafe) fileprivate static var number: sig_atomic_t = 0

  static func watch() {
    for number in [SIGINT, SIGTERM] { signal(number, onSignal) }
    signal(SIGPIPE, SIG_IGN)
  }

  /// Throws once a signal came.
  static func check() throws {
    if number != 0 { throw Failure("interrupted") }
  }

  /// For the clean-up, which must not be interrupted by what began it.
  static func forget() { number = 0 }
}

private func onSignal(_ number: Int32) { Interruption.number = sig_atomic_t(number) }
