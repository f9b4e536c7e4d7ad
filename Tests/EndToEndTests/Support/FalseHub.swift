import Glibc
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
}
