import CWebSockets
import DequeModule

/// A WebSocket (RFC 6455) of a web server. Service thread only.
final class WebSocketChannel {
  let socket: OpaquePointer
  private var queue: Deque<[UInt8]> = []
  private(set) var queuedBytes = 0
  private var received: [UInt8] = []
  private(set) var heardAt: Duration
  private var askedAt: Duration
  private var isPingDue = false
  private var closing: (code: UInt16, reason: String)?

  init(socket: OpaquePointer, now: Duration) {
    self.socket = socket
    heardAt = now
    askedAt = now
  }

  /// Whether everything was passed to the kernel.
  var isIdle: Bool { queue.isEmpty }

  func send(_ text: String) {
    let bytes = Array(text.utf8)
    queue.append(bytes)
    queuedBytes += bytes.count
    lws_callback_on_writable(socket)
  }

  /// Closes it behind what is queued.
  func close(_ code: UInt16, _ reason: String) {
    closing = (code, reason)
    lws_callback_on_writable(socket)
  }

  /// Whether it lives; asks, where it was silent for a while.
  func check(now: Duration, time: Duration) -> Bool {
    if now - heardAt >= time { return false }
    if now - max(heardAt, askedAt) >= time / 3 {
      askedAt = now
      isPingDue = true
      lws_callback_on_writable(socket)
    }
    return true
  }

  /// The other end answers.
  func heard(now: Duration) { heardAt = now }

  /// Takes a piece of a message. Returns: the message, when that is all of it; throws where it is
  /// too long.
  func receive(
    _ input: UnsafeRawBufferPointer, now: Duration, limit: Int
  ) throws(MessageTooLong) -> String? {
    heardAt = now
    received += input
    guard received.count <= limit else { throw MessageTooLong() }
    guard lws_is_final_fragment(socket) != 0, lws_remaining_packet_payload(socket) == 0 else {
      return nil
    }
    defer { received = [] }
    return String(decoding: received, as: UTF8.self)
  }

  struct MessageTooLong: Error {}

  /// Writes the next message. Returns: libwebsockets' answer, 0 or -1 to close it.
  func writable() -> Int32 {
    if isPingDue {
      isPingDue = false
      guard write([], LWS_WRITE_PING) else { return -1 }
    } else if let next = queue.popFirst() {
      queuedBytes -= next.count
      guard write(next, LWS_WRITE_TEXT) else { return -1 }
    } else if let closing {
      var reason = Array(closing.reason.utf8.prefix(120))
      lws_close_reason(
        socket, lws_close_status(rawValue: UInt32(closing.code)), &reason, reason.count)
      return -1
    }
    if !queue.isEmpty || closing != nil { lws_callback_on_writable(socket) }
    return 0
  }

  private func write(_ bytes: [UInt8], _ kind: lws_write_protocol) -> Bool {
    var memory = [UInt8](repeating: 0, count: Int(cws_pre)) + bytes
    let count = bytes.count
    // SAFETY: the headroom is before the message; the pointer stays inside the closure.
    return memory.withUnsafeMutableBufferPointer {
      lws_write(socket, $0.baseAddress! + Int(cws_pre), count, kind) >= count
    }
  }
}
