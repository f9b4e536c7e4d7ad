import CLinux
import Glibc

/// Asks for a secret at the terminal without showing it.
package enum SecretPrompt {
  /// Whether there is somebody to ask.
  package static var isPossible: Bool { isatty(STDIN_FILENO) == 1 }

  /// Asks; blocks until a line is typed. Returns: what was typed, without blanks at its ends, empty
  /// at the end of input; nil where it was given up with Ctrl-C or Ctrl-\. A signal that ends the
  /// process does so, with the terminal as it was. Throws where `input` is no terminal.
  package static func ask(
    _ question: String, input: Int32 = STDIN_FILENO, output: Int32 = STDERR_FILENO
  ) throws(SystemError) -> [UInt8]? {
    var before = termios()
    try retryingOnInterrupt("read the terminal's settings") { tcgetattr(input, &before) }
    var quiet = before
    // Without signals, for a process that ended here would leave the terminal without echo.
    quiet.c_lflag &= ~tcflag_t(ECHO | ECHONL | ICANON | ISIG)
    // Those that do not come from its keys wait until it is as it was.
    var (held, mask) = (Signals.watchedSet, sigset_t())
    pthread_sigmask(SIG_BLOCK, &held, &mask)
    defer { pthread_sigmask(SIG_SETMASK, &mask, nil) }
    let signals = OwnedDescriptor(
      try retryingOnInterrupt("signalfd") { signalfd(-1, &held, Int32(SFD_CLOEXEC)) })
    try retryingOnInterrupt("hide what is typed") { tcsetattr(input, TCSAFLUSH, &quiet) }
    defer {
      tcsetattr(input, TCSAFLUSH, &before)
      try? File.writeAll([UInt8(ascii: "\n")], to: output, "terminal")
    }
    try File.writeAll(Array(question.utf8), to: output, "terminal")
    var line = SecretLine()
    while true {
      var ready = [
        pollfd(fd: input, events: Int16(POLLIN), revents: 0),
        pollfd(fd: signals.raw, events: Int16(POLLIN), revents: 0),
      ]
      try retryingOnInterrupt("wait for the terminal") { poll(&ready, 2, -1) }
      if ready[1].revents != 0 { return nil }
      var byte: UInt8 = 0
      let count = try retryingOnInterrupt("read the terminal") { read(input, &byte, 1) }
      switch count == 0 ? .done : line.typed(byte) {
      case .more: continue
      case .done: return line.trimmed
      case .givenUp: return nil
      }
    }
  }
}

/// A line as it is typed, with what a terminal usually does about the keys for editing.
private struct SecretLine {
  enum Step { case more, done, givenUp }

  /// Longer than any secret that is asked for.
  private static let limit = 1_024
  private var bytes: [UInt8] = []

  mutating func typed(_ byte: UInt8) -> Step {
    switch byte {
    case UInt8(ascii: "\n"), UInt8(ascii: "\r"): return .done
    // Ctrl-C and Ctrl-\.
    case 0x03, 0x1C: return .givenUp
    // Ctrl-D ends the input only where nothing was typed.
    case 0x04: return bytes.isEmpty ? .done : .more
    case 0x7F, 0x08: _ = bytes.popLast()
    // Ctrl-U.
    case 0x15: bytes = []
    default: if bytes.count < Self.limit { bytes.append(byte) }
    }
    return .more
  }

  var trimmed: [UInt8] {
    let isBlank = { (byte: UInt8) in byte == 0x20 || byte == 0x09 }
    return Array(bytes.drop(while: isBlank).reversed().drop(while: isBlank).reversed())
  }
}
