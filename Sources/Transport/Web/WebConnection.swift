import CWebSockets
import System

/// One connection of a web server. Service thread only.
final class WebConnection {
  /// What it is at.
  enum Phase {
    /// The head of a request is awaited.
    case idle
    /// A request is thought about: nothing is to be sent yet.
    case thinking
    /// The body of a request comes.
    case receiving(WebUpload)
    /// An answer goes out.
    case answering(WebAnswer)
    /// It is a WebSocket.
    case socket(WebSocketChannel)
    /// All was said: what the other end still sends is thrown away until it closes.
    case lingering
  }

  let id: UInt64
  let origin: PeerOrigin
  var socket: OpaquePointer?
  var phase = Phase.idle
  /// When something last came or went, or a request was last begun.
  var heardAt: Duration
  /// Of the present request.
  var isHead = false
  /// Whether it ends with the present answer.
  var closes = false
  /// Counts the requests: what is done for an earlier one comes too late.
  var request: UInt64 = 0

  init(id: UInt64, from origin: PeerOrigin, now: Duration) {
    self.id = id
    self.origin = origin
    heardAt = now
  }

  /// Closes it from outside its own callback.
  func end() {
    if let socket { kill(socket) }
  }
}
