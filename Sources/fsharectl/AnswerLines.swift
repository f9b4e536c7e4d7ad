import Glibc
import System

/// The lines of standard input, taken one by one when they are wanted.
final class AnswerLines {
  enum Next {
    case line(String)
    /// The time is over.
    case nothing
    /// There will be no more.
    case end
  }

  /// Bytes of the longest answer; what is longer is none.
  private static let limit = 1_024
  /// Whether a person types.
  let isTerminal = isatty(STDIN_FILENO) == 1
  private var pending: [UInt8] = []
  private var isAtEnd = false

  /// The next line, waited for until a time. Where none is wanted, lines of a pipe stay for later.
  func next(isWanted: Bool, until deadline: Duration) throws(SystemError) -> Next {
    while true {
      if isWanted, let line = takeLine() { return .line(line) }
      if isAtEnd, pending.isEmpty { return .end }
      let rest = deadline - MonotonicClock.now
      if rest <= .zero { return .nothing }
      let milliseconds =
        rest.components.seconds * 1_000 + rest.components.attoseconds / 1_000_000_000_000_000
      // A pipe that is ahead of the questions waits, and so may its writer.
      let isFull = isAtEnd || pending.contains(UInt8(ascii: "\n"))
      var input = pollfd(fd: isFull ? -1 : STDIN_FILENO, events: Int16(POLLIN), revents: 0)
      guard poll(&input, 1, Int32(milliseconds) + 1) > 0 else { continue }
      try read()
      if isTerminal, !isWanted { pending = [] }
    }
  }

  /// Drops what a person typed before there was a question.
  func forgetTyped() {
    guard isTerminal else { return }
    pending = []
    tcflush(STDIN_FILENO, TCIFLUSH)
  }

  private func read() throws(SystemError) {
    var piece = [UInt8](repeating: 0, count: Self.limit)
    let count = try retryingOnInterrupt("read standard input") {
      Glibc.read(STDIN_FILENO, &piece, piece.count)
    }
    isAtEnd = count == 0
    pending += piece[..<count]
    if pending.count > Self.limit, !pending.contains(UInt8(ascii: "\n")) { pending = [] }
  }

  /// The first whole line; at the end of input, what is left counts as one.
  private func takeLine() -> String? {
    let end = pending.firstIndex(of: UInt8(ascii: "\n")) ?? (isAtEnd ? pending.count : nil)
    guard let end, !pending.isEmpty else { return nil }
    let line = String(decoding: pending[..<end], as: UTF8.self)
    pending.removeFirst(min(end + 1, pending.count))
    return line
  }
}
