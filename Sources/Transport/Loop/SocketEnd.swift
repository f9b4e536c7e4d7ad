import CWebSockets
import Glibc

/// One end of a socket, as the system names it.
struct SocketEnd {
  /// Numeric, 4 or 16 bytes in network order; nil for another family.
  let address: [UInt8]?
  let port: UInt16

  /// This end; nil with errno where there is none.
  static func own(_ descriptor: Int32) -> SocketEnd? {
    SocketEnd { getsockname(descriptor, $0, $1) }
  }

  /// Whether the other end has closed, or is gone, whatever of it is still unread.
  static func hasHungUp(_ descriptor: Int32) -> Bool {
    // POLLRDHUP of poll(2), which Glibc's headers give only with a macro of their own.
    let closed: Int32 = 0x2000
    var entry = pollfd(fd: descriptor, events: Int16(closed), revents: 0)
    guard poll(&entry, 1, 0) > 0 else { return false }
    return Int32(entry.revents) & (closed | POLLHUP | POLLERR | POLLNVAL) != 0
  }

  /// The other end; nil with errno where it is gone.
  static func peer(_ descriptor: Int32) -> SocketEnd? {
    SocketEnd { getpeername(descriptor, $0, $1) }
  }

  private init?(_ ask: (__SOCKADDR_ARG, UnsafeMutablePointer<socklen_t>) -> Int32) {
    var raw = [UInt8](repeating: 0, count: MemoryLayout<sockaddr_storage>.size)
    var length = socklen_t(raw.count)
    // SAFETY: `length` bounds what is written, and the pointer stays inside the closure.
    let code = raw.withUnsafeMutableBytes { buffer in
      let target = buffer.baseAddress?.assumingMemoryBound(to: sockaddr.self)
      return ask(__SOCKADDR_ARG(__sockaddr__: target), &length)
    }
    guard code == 0 else { return nil }
    // The port follows the family in sockaddr_in and sockaddr_in6 alike, then the address, before
    // which the latter has the flow label.
    switch raw.withUnsafeBytes({ Int32($0.load(as: sa_family_t.self)) }) {
    case AF_INET: address = Array(raw[4..<8])
    case AF_INET6: address = Array(raw[8..<24])
    default: address = nil
    }
    port = UInt16(raw[2]) << 8 | UInt16(raw[3])
  }
}
