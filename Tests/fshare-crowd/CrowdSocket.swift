import CLinux
import Glibc
import System

/// A TCP socket that never blocks, from an address of this machine's to its hub.
final class CrowdSocket {
  let descriptor: OwnedDescriptor
  private var unsent: [UInt8] = []
  /// Whether nobody listens there.
  private(set) var isRefused = false

  /// Begins to connect to a port of 127.0.0.1. `source`: which of the addresses 127.77.x.y it comes
  /// from.
  init(to port: UInt16, from source: Int) throws(SystemError) {
    let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
    let raw = try retryingOnInterrupt("make a socket") { socket(AF_INET, kind, 0) }
    descriptor = OwnedDescriptor(raw)
    var one: Int32 = 1
    setsockopt(raw, Int32(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(4))
    // The port is chosen at connecting: one serves for many pairs of addresses.
    setsockopt(raw, Int32(IPPROTO_IP), IP_BIND_ADDRESS_NO_PORT, &one, socklen_t(4))
    let place = UInt32(source / 250) << 8 | UInt32(source % 250 + 1)
    try CrowdSocket.with(0x7f4d_0000 | place, port: 0) { address, length throws(SystemError) in
      try retryingOnInterrupt("bind") {
        bind(raw, __CONST_SOCKADDR_ARG(__sockaddr__: address), length)
      }
    }
    try CrowdSocket.with(0x7f00_0001, port: port) { address, length throws(SystemError) in
      let made = connect(raw, __CONST_SOCKADDR_ARG(__sockaddr__: address), length)
      if made < 0, errno != EINPROGRESS { throw SystemError("connect") }
    }
  }

  /// How much came since, 0 where nothing did. nil: the hub has ended the connection.
  func receive(into buffer: inout [UInt8]) -> Int? {
    let count = recv(descriptor.raw, &buffer, buffer.count, 0)
    if count > 0 { return count }
    isRefused = isRefused || count < 0 && errno == ECONNREFUSED
    return count < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : nil
  }

  /// Sends, or keeps what the kernel does not take now. False when the connection has ended.
  func send(_ bytes: [UInt8]) -> Bool {
    if !unsent.isEmpty {
      unsent += bytes
      return true
    }
    unsent = bytes
    return flush()
  }

  /// Sends what was kept.
  func flush() -> Bool {
    while !unsent.isEmpty {
      let count = Glibc.send(descriptor.raw, unsent, unsent.count, Int32(MSG_NOSIGNAL))
      if count < 0 {
        isRefused = isRefused || errno == ECONNREFUSED
        return errno == EAGAIN || errno == ENOTCONN
      }
      unsent.removeFirst(count)
    }
    return true
  }

  private static func with(
    _ address: UInt32, port: UInt16,
    _ body: (UnsafePointer<sockaddr>, socklen_t) throws(SystemError) -> Void
  ) throws(SystemError) {
    var made = sockaddr_in()
    made.sin_family = sa_family_t(AF_INET)
    made.sin_port = port.bigEndian
    made.sin_addr.s_addr = address.bigEndian
    var failure: SystemError?
    // SAFETY: a sockaddr_in is what AF_INET says is behind a sockaddr; the pointer stays inside.
    withUnsafePointer(to: &made) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
        do throws(SystemError) {
          try body(pointer, socklen_t(MemoryLayout<sockaddr_in>.size))
        } catch { failure = error }
      }
    }
    if let failure { throw failure }
  }
}
