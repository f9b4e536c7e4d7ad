import Glibc
import System

/// Where handlers leave their answers, and `stop` its word, for the server's thread. Any thread.
///
/// It outlives the server for as long as a handler may still answer.
final class ControlMailbox: Sendable {
  /// What was left since the last look.
  struct Content {
    /// Answers, with the numbers of their connections.
    var answers: [(connection: UInt64, response: ControlResponse)] = []
    /// Whether the thread is to end.
    var stopping = false
  }

  /// Readable when there is something to look at.
  let wake: OwnedDescriptor
  private let ring: OwnedDescriptor
  private let content = Locked(Content())

  /// An empty mailbox.
  init() throws(SystemError) {
    var ends: [Int32] = [-1, -1]
    try retryingOnInterrupt("make a pipe") { pipe2(&ends, O_CLOEXEC | O_NONBLOCK) }
    wake = OwnedDescriptor(ends[0])
    ring = OwnedDescriptor(ends[1])
  }

  /// Leaves an answer.
  func leave(_ response: ControlResponse, for connection: UInt64) {
    content.withLock { $0.answers.append((connection, response)) }
    notify()
  }

  /// Asks the thread to end.
  func leaveStop() {
    content.withLock { $0.stopping = true }
    notify()
  }

  /// Takes what is there; a stop stays.
  func take() -> Content {
    var bytes = [UInt8](repeating: 0, count: 64)
    while read(wake.raw, &bytes, bytes.count) == bytes.count {}
    return content.withLock { content in
      defer { content.answers = [] }
      return content
    }
  }

  private func notify() {
    var byte: UInt8 = 0
    // A full pipe (EAGAIN) wakes the thread as well.
    _ = write(ring.raw, &byte, 1)
  }
}
