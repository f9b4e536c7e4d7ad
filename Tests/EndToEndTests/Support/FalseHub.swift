import Glibc
import Hostile
import Protocol
import System

/// Listens like a hub and is none: every connection gets what the test says.
final class FalseHub: Sendable {
  let address: String
  private let isStopped = Locked(false)
  private let thread: JoinableThread

  /// `serve` is called for every connection, in this hub's thread; the connection ends when it
  /// returns.
  init(_ fixture: Fixture, _ serve: @escaping @Sendable (Socket) throws -> Void) throws {
    let listener = try Socket.listening()
    address = try listener.address()
    let isStopped = isStopped
    thread = try Thread.start(name: "false hub") {
      while !isStopped.withLock({ $0 }) {
        guard let connection = try? listener.accepted() else { continue }
        try? serve(connection)
      }
    }
    let thread = thread
    fixture.atEnd {
      isStopped.withLock { $0 = true }
      thread.join()
    }
  }

  /// Answers a WebSocket handshake (RFC 6455, 4.2.2).
  static func accept(_ socket: Socket) throws {
    let head = try socket.receiveHead()
    let name = "sec-websocket-key:"
    let line = head.split(separator: "\r\n").first { $0.lowercased().hasPrefix(name) }
    guard let line else { throw NeverHappened(description: "no key in \(head)") }
    let key = line.dropFirst(name.count).filter { $0 != " " }
    let digest = SHA1.digest(Array((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").utf8))
    try socket.send(
      Array(
        """
        HTTP/1.1 101 Switching Protocols\r
        Upgrade: websocket\r
        Connection: Upgrade\r
        Sec-WebSocket-Accept: \(SHA1.base64(digest))\r
        Sec-WebSocket-Protocol: fsharefs\r
        \r\n
        """.utf8))
  }

  /// Sends one message of the protocol as a server does: unmasked.
  static func send(_ message: Message, _ socket: Socket) throws {
    let payload = try message.encoded()
    let head: [UInt8] =
      payload.count < 126
      ? [0x82, UInt8(payload.count)]
      : [0x82, 126, UInt8(payload.count >> 8), UInt8(payload.count & 0xff)]
    try socket.send(head + payload)
  }

  /// The next message of a client, whose frames are masked; pings are passed over.
  static func receive(_ socket: Socket) throws -> Message {
    while true {
      let head = try socket.receive(exactly: 2)
      var length = Int(head[1] & 0x7f)
      if length == 126 {
        length = try socket.receive(exactly: 2).reduce(0) { $0 << 8 | Int($1) }
      }
      let mask = try socket.receive(exactly: 4)
      let payload = try socket.receive(exactly: length).enumerated().map { $1 ^ mask[$0 % 4] }
      if head[0] & 0x0f == 2 { return try Message(decoding: payload) }
    }
  }
}
