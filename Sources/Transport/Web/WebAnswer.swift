import CWebSockets

/// An answer on its way out. Service thread only.
final class WebAnswer {
  /// What was fetched and not sent yet.
  private var ready: [[UInt8]] = []
  private var head: [UInt8]?
  private let source: (any WebSource)?
  private let isChunked: Bool
  /// Bytes of the content that are still to come; nil where nobody knows.
  private var left: UInt64?
  private var isFetching = false
  private var isReleased = false
  private(set) var hasEnded: Bool
  /// Whether the content cannot be finished.
  private(set) var isBroken = false
  /// When the source wants to be asked again.
  var askAgainAt: Duration?

  /// Pieces that are fetched ahead of what is sent.
  private static let ahead = 2

  /// An answer that is all there.
  init(head: [UInt8], body: [UInt8]) {
    self.head = head
    source = nil
    isChunked = false
    hasEnded = true
    if !body.isEmpty { ready = [body] }
  }

  /// An answer whose content is fetched as it is sent.
  init(head: [UInt8], source: any WebSource, length: UInt64?) {
    self.head = head
    self.source = source
    isChunked = length == nil
    left = length
    hasEnded = length == 0
  }

  /// The source, where it is to be asked now; `fetched` must follow.
  func nextFetch(now: Duration) -> (any WebSource)? {
    guard let source, !isFetching, !hasEnded, !isBroken, ready.count < Self.ahead,
      askAgainAt.map({ $0 <= now }) ?? true
    else { return nil }
    askAgainAt = nil
    isFetching = true
    return source
  }

  /// What the source gave; nil: it failed.
  func fetched(_ piece: WebPiece?, now: Duration) {
    isFetching = false
    switch piece {
    case nil: isBroken = true
    case .wait(let time): askAgainAt = now + time
    case .end:
      // What was promised and does not come is cut short, so that it is seen.
      if let left, left > 0 { isBroken = true } else { hasEnded = true }
    case .bytes(let bytes):
      guard !bytes.isEmpty else { return }
      if let left {
        let taken = bytes.prefix(Int(clamping: left))
        self.left = left - UInt64(taken.count)
        ready.append(Array(taken))
        if self.left == 0 { hasEnded = true }
      } else {
        ready.append(bytes)
      }
    }
  }

  /// Whether there is something that can be written.
  var isWritable: Bool { head != nil || !ready.isEmpty || hasEnded && isChunked }

  /// Whether all was written.
  private(set) var isDone = false

  /// Writes the next piece. False when the socket died.
  func write(to socket: OpaquePointer) -> Bool {
    if let bytes = head {
      head = nil
      guard Self.send(bytes, socket, LWS_WRITE_HTTP_HEADERS) else { return false }
    } else if !ready.isEmpty {
      let piece = ready.removeFirst()
      guard Self.send(isChunked ? Self.chunk(piece) : piece, socket, LWS_WRITE_HTTP)
      else { return false }
    } else if hasEnded, isChunked {
      guard Self.send(Array("0\r\n\r\n".utf8), socket, LWS_WRITE_HTTP) else { return false }
      isDone = true
    }
    if hasEnded, !isChunked, ready.isEmpty { isDone = true }
    return true
  }

  /// Lets go of the source. Returns: it, to be closed where waiting is allowed; nil where there is
  /// none any more, or it is being asked: then this is to be called behind that.
  func release() -> (any WebSource)? {
    guard !isFetching, !isReleased else { return nil }
    isReleased = true
    return source
  }

  private static func chunk(_ piece: [UInt8]) -> [UInt8] {
    Array("\(String(piece.count, radix: 16))\r\n".utf8) + piece + [13, 10]
  }

  private static func send(
    _ bytes: [UInt8], _ socket: OpaquePointer, _ kind: lws_write_protocol
  ) -> Bool {
    var bytes = bytes
    let count = bytes.count
    // SAFETY: for HTTP/1 nothing is written before the bytes; the pointer stays inside the closure.
    return bytes.withUnsafeMutableBufferPointer {
      lws_write(socket, $0.baseAddress, count, kind) >= count
    }
  }
}
