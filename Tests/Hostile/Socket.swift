import CLinux
import Glibc
package import System

/// A TCP socket on the loopback address, for tests that speak to a hub, or play one, by hand.
package final class Socket: Sendable {
  package let descriptor: OwnedDescriptor

  private init(_ raw: Int32) {
    descriptor = OwnedDescriptor(raw)
    for option in [SO_RCVTIMEO, SO_SNDTIMEO] { limit(option, seconds: 20) }
  }

  /// Connects to `127.0.0.1:port`.
  package static func connected(to address: String) throws -> Socket {
    let socket = try make()
    var target = Socket.address(try port(of: address))
    try retryingOnInterrupt("connect to \(address)") {
      withSockaddr(&target) {
        connect(socket.descriptor.raw, __CONST_SOCKADDR_ARG(__sockaddr__: $0), $1)
      }
    }
    return socket
  }

  /// Listens at a port that the system chooses.
  package static func listening() throws -> Socket {
    let socket = try make()
    var any = Socket.address(0)
    try retryingOnInterrupt("bind") {
      withSockaddr(&any) {
        bind(socket.descriptor.raw, __CONST_SOCKADDR_ARG(__sockaddr__: $0), $1)
      }
    }
    try retryingOnInterrupt("listen") { listen(socket.descriptor.raw, 64) }
    return socket
  }

  /// `127.0.0.1:port` of this end.
  package func address() throws -> String {
    var own = Socket.address(0)
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    try retryingOnInterrupt("getsockname") {
      withSockaddr(&own) { address, _ in
        getsockname(descriptor.raw, __SOCKADDR_ARG(__sockaddr__: address), &length)
      }
    }
    return "127.0.0.1:\(UInt16(bigEndian: own.sin_port))"
  }

  /// Takes a connection; nil when none came in time (ms), so that a thread can look at its orders.
  package func accepted(waiting time: Int32 = 20) throws -> Socket? {
    var entry = pollfd(fd: descriptor.raw, events: Int16(POLLIN), revents: 0)
    guard poll(&entry, 1, time) > 0 else { return nil }
    return Socket(
      try retryingOnInterrupt("accept") {
        accept4(descriptor.raw, __SOCKADDR_ARG(), nil, Int32(SOCK_CLOEXEC.rawValue))
      })
  }

  /// Sends all of it; a peer that has closed makes it throw.
  package func send(_ bytes: [UInt8]) throws {
    var rest = bytes[...]
    while !rest.isEmpty {
      // SAFETY: the pointer stays inside the closure.
      let count = try retryingOnInterrupt("send") {
        rest.withUnsafeBytes {
          Glibc.send(descriptor.raw, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
        }
      }
      rest = rest.dropFirst(count)
    }
  }

  /// What came, at most `count` bytes; empty when the peer has closed.
  package func receive(atMost count: Int = 65_536) throws -> [UInt8] {
    var piece = [UInt8](repeating: 0, count: count)
    let got = try retryingOnInterrupt("receive") { recv(descriptor.raw, &piece, count, 0) }
    return Array(piece[..<got])
  }

  /// Exactly `count` bytes.
  package func receive(exactly count: Int) throws -> [UInt8] {
    var bytes: [UInt8] = []
    while bytes.count < count {
      let piece = try receive(atMost: count - bytes.count)
      if piece.isEmpty { throw SystemError(code: ECONNRESET, call: "receive") }
      bytes += piece
    }
    return bytes
  }

  /// An HTTP head, up to and with its empty line.
  package func receiveHead() throws -> String {
    var bytes: [UInt8] = []
    while !bytes.suffix(4).elementsEqual(Array("\r\n\r\n".utf8)) {
      bytes += try receive(exactly: 1)
      if bytes.count > 16_384 { throw SystemError(code: EMSGSIZE, call: "receive a head") }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Whether the peer closes within the time; what it sends before is dropped.
  package func isClosedByPeer(within time: Duration = .seconds(30)) -> Bool {
    let deadline = MonotonicClock.now + time
    while MonotonicClock.now < deadline {
      var entry = pollfd(fd: descriptor.raw, events: Int16(POLLIN), revents: 0)
      guard poll(&entry, 1, 50) > 0 else { continue }
      guard let piece = try? receive(), !piece.isEmpty else { return true }
    }
    return false
  }

  /// Whether something has come that was not received.
  package var hasUnread: Bool {
    var entry = pollfd(fd: descriptor.raw, events: Int16(POLLIN), revents: 0)
    return poll(&entry, 1, 0) > 0
  }

  /// Says that nothing more will be sent.
  package func finish() { _ = shutdown(descriptor.raw, Int32(SHUT_WR)) }

  /// Ends the connection for both sides.
  package func hangUp() { _ = shutdown(descriptor.raw, Int32(SHUT_RDWR)) }

  private static func make() throws(SystemError) -> Socket {
    Socket(
      try retryingOnInterrupt("make a socket") {
        socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
      })
  }

  private func limit(_ option: Int32, seconds: Int) {
    var time = timeval(tv_sec: seconds, tv_usec: 0)
    setsockopt(descriptor.raw, SOL_SOCKET, option, &time, socklen_t(MemoryLayout<timeval>.size))
  }

  private static func port(of address: String) throws -> UInt16 {
    guard let colon = address.lastIndex(of: ":"),
      let port = UInt16(address[address.index(after: colon)...])
    else { throw PeerFault("'\(address)' has no port") }
    return port
  }

  private static func address(_ port: UInt16) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    return address
  }
}

private func withSockaddr<Result>(
  _ address: inout sockaddr_in, _ body: (UnsafeMutablePointer<sockaddr>, socklen_t) -> Result
) -> Result {
  // SAFETY: a sockaddr_in is what AF_INET says is behind a sockaddr; the pointer stays inside.
  withUnsafeMutablePointer(to: &address) {
    $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
      body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
    }
  }
}
