package import Protocol
import System

/// A WebSocket of its own make (RFC 6455), that says whatever a test wants said to a hub.
package struct WebSocketPeer {
  package let socket: Socket

  /// Connects to a hub's control plane; the handshake is done when it returns.
  package init(to hub: String) throws {
    socket = try Socket.connected(to: hub)
    try socket.send(Array(WebSocketPeer.upgrade(to: hub).utf8))
    let head = try socket.receiveHead()
    guard head.hasPrefix("HTTP/1.1 101") else {
      throw PeerFault("no upgrade: \(head)")
    }
  }

  /// The request that opens a control plane.
  package static func upgrade(to hub: String) -> String {
    """
    GET /control HTTP/1.1\r
    Host: \(hub)\r
    Upgrade: websocket\r
    Connection: Upgrade\r
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r
    Sec-WebSocket-Version: 13\r
    Sec-WebSocket-Protocol: fsharefs\r
    \r\n
    """
  }

  /// Sends one frame: `kind` 1 text, 2 binary. `claiming`: the length that the head gives, if
  /// another.
  package func send(_ payload: [UInt8], kind: UInt8 = 2, claiming: Int? = nil) throws {
    try socket.send(WebSocketFrame(kind: kind, payload: payload).masked(claiming: claiming))
  }

  /// Sends one message of the protocol.
  package func send(_ message: Message) throws { try send(try message.encoded()) }

  /// The next data frame's payload; pings are passed over.
  package func receive() throws -> [UInt8] {
    while true {
      let head = try socket.receive(exactly: 2)
      var length = Int(head[1] & 0x7f)
      let extra = length == 126 ? 2 : length == 127 ? 8 : 0
      if extra > 0 {
        length = try socket.receive(exactly: extra).reduce(0) { $0 << 8 | Int($1) }
      }
      let payload = try socket.receive(exactly: length)
      switch head[0] & 0x0f {
      case 1, 2: return payload
      case 8: throw PeerFault("the hub closes: \(payload)")
      default: continue
      }
    }
  }

  /// The hub's HELLO, which comes first.
  package func receiveHello() throws -> Hello {
    guard case .hello(let hello) = try Message(decoding: try receive()) else {
      throw PeerFault("the hub's first word is no HELLO")
    }
    return hello
  }
}
