import CWebSockets
import Glibc

/// The two ends of a connected socket: numeric addresses without their ports, 4 or 16 bytes in network order.
/// nil for an end that is gone, or of another family.
enum SocketEnd {
  static func own(_ descriptor: Int32) -> [UInt8]? { address { getsockname(descriptor, $0, $1) } }

  static func peer(_ descriptor: Int32) -> [UInt8]? { address { getpeername(descriptor, $0, $1) } }

  private static func address(
    _ ask: (__SOCKADDR_ARG, UnsafeMutablePointer<socklen_t>) -> Int32
  ) -> [UInt8]? {
    var raw = [UInt8](repeating: 0, count: MemoryLayout<sockaddr_storage>.size)
    var length = socklen_t(raw.count)
    // SAFETY: `length` bounds what is written, and the pointer stays inside the closure.
    let code = raw.withUnsafeMutableBytes { buffer in
      let target = buffer.baseAddress?.assumingMemoryBound(to: sockaddr.self)
      return ask(__SOCKADDR_ARG(__sockaddr__: target), &length)
    }
    let family = raw.withUnsafeBytes { Int32($0.load(as: sa_family_t.self)) }
    // The address follows family and port in sockaddr_in, and the flow label too in sockaddr_in6.
    switch family {
    case AF_INET where code == 0: return Array(raw[4..<8])
    case AF_INET6 where code == 0: return Array(raw[8..<24])
    default: return nil
    }
  }
}
