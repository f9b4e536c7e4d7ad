import CWebSockets
import DequeModule

/// One WebSocket of the control plane, at either end: assembles messages, queues what is to be
/// sent, watches the peer. Service thread only.
final class ControlChannel {
  /// What to do after a piece of a message arrived.
  enum Received: Equatable {
    /// More is to come.
    case part
    /// A message is complete.
    case message([UInt8])
    /// The peer broke the rules: close with this code (RFC 6455, 7.4.1).
    case violation(code: UInt16, reason: String)
  }

  /// What a look at the clock leads to.
  enum Health {
    case fine, quiet, dead
  }

  /// Messages that are written in one turn at most.
  private static let turnLimit = 16

  /// The socket.
  let socket: OpaquePointer
  /// Set once the connection is to end after what is queued: code and reason of the close frame.
  private(set) var closing: (code: UInt16, reason: String, deadline: Duration)?
  /// Bytes that wait to be written.
  private(set) var queuedBytes = 0
  private unowned let loop: ServiceLoop
  private let limits: TransportLimits
  private var queue: Deque<[UInt8]> = []
  private var incoming: [UInt8] = []
  private var lastHeard: Duration
  private var pingAt: Duration
  private var pingWanted = false

  /// A channel that has just been opened.
  init(socket: OpaquePointer, on loop: ServiceLoop, limits: TransportLimits, now: Duration) {
    self.socket = socket
    self.loop = loop
    self.limits = limits
    lastHeard = now
    pingAt = now + limits.keepAliveAfter
  }

  /// Queues a message. False when that is more than may wait: the peer is too slow.
  func send(_ message: [UInt8]) -> Bool {
    precondition(message.count <= limits.maxMessage, "a control message is within its limit")
    guard closing == nil else { return true }
    if queue.isEmpty { loop.writeSoon(socket) }
    queue.append(message)
    queuedBytes += message.count
    return queuedBytes <= limits.controlQueueBytes
  }

  /// Ends the connection after what is queued. Later messages are dropped.
  func close(code: UInt16, reason: String, now: Duration) {
    guard closing == nil else { return }
    closing = (code, reason, now + limits.closeTime)
    lws_callback_on_writable(socket)
  }

  /// Takes a piece of a message.
  func receive(_ bytes: UnsafeRawBufferPointer, now: Duration) -> Received {
    lastHeard = now
    pingAt = now + limits.keepAliveAfter
    guard closing == nil else { return .part }
    guard lws_frame_is_binary(socket) != 0 else {
      return .violation(code: 1003, reason: "binary messages only")
    }
    guard incoming.count + bytes.count <= limits.maxMessage else {
      incoming = []
      return .violation(code: 1009, reason: "a message is at most \(limits.maxMessage) bytes")
    }
    incoming.append(contentsOf: bytes)
    let isComplete = lws_is_final_fragment(socket) != 0
    guard isComplete, lws_remaining_packet_payload(socket) == 0 else { return .part }
    defer { incoming = [] }
    return .message(incoming)
  }

  /// The peer answered a ping.
  func heard(now: Duration) {
    lastHeard = now
    pingAt = now + limits.keepAliveAfter
  }

  /// Looks at the clock and asks for a ping where one is due.
  func check(now: Duration) -> Health {
    if now - lastHeard >= limits.deadAfter { return .dead }
    if let closing, now >= closing.deadline { return .dead }
    guard now >= pingAt else { return .fine }
    pingAt = now + limits.keepAliveAfter
    pingWanted = true
    lws_callback_on_writable(socket)
    return .quiet
  }

  /// The socket takes a write. The answer is libwebsockets': -1 closes.
  func writable() -> Int32 {
    if pingWanted, !isChoked {
      pingWanted = false
      // One byte: libwebsockets does not answer a ping without any.
      guard loop.scratch.write([[0]], to: socket, as: LWS_WRITE_PING) else { return -1 }
    }
    var turn = 0
    while turn < Self.turnLimit, !isChoked, let message = queue.popFirst() {
      turn += 1
      queuedBytes -= message.count
      guard loop.scratch.write([message], to: socket, as: LWS_WRITE_BINARY) else { return -1 }
    }
    if turn == 0, queue.isEmpty, !isChoked, let closing {
      announceClose(closing.code, closing.reason)
      return -1
    }
    if isChoked || pingWanted || !queue.isEmpty || closing != nil {
      lws_callback_on_writable(socket)
    }
    return 0
  }

  /// Whether libwebsockets still has bytes that the kernel did not take.
  var isChoked: Bool { lws_partial_buffered(socket) != 0 }

  /// Puts code and reason into the close frame that is sent when the callback answers -1.
  func announceClose(_ code: UInt16, _ reason: String) {
    // A close frame holds 125 bytes; a cut must not leave half a character (RFC 6455, 5.5.1).
    var text = Array(reason.utf8.prefix(124))
    if text.count > 123 {
      while let last = text.popLast(), last & 0xc0 == 0x80 {}
    }
    lws_close_reason(socket, lws_close_status(UInt32(code)), &text, text.count)
  }
}
