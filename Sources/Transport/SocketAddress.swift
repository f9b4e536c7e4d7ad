import CWebSockets
import Glibc
import Protocol
import System

/// A resolved address of the system, ready to be bound.
struct SocketAddress {
  private let family: Int32
  private let bytes: [UInt8]

  /// The addresses that a listening address stands for, best first. May ask the name server.
  static func resolve(_ address: ListenAddress) throws(SystemError) -> [SocketAddress] {
    guard address.host.isEmpty else { return try lookUp(address.host, address) }
    // Every address of the machine: one IPv6 socket takes IPv4 too, where there is IPv6.
    return try lookUp("::", address) + lookUp("0.0.0.0", address)
  }

  /// A listening socket on this address. `call` says what is being tried.
  func listen(_ call: String) throws(SystemError) -> OwnedDescriptor {
    let flags = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
    let opened = OwnedDescriptor(try retryingOnInterrupt(call) { socket(family, flags, 0) })
    var one: Int32 = 1
    // A hub that is started again must not wait for its old connections to time out.
    setsockopt(opened.raw, SOL_SOCKET, SO_REUSEADDR, &one, socklen_t(4))
    if family == AF_INET6 {
      var zero: Int32 = 0
      setsockopt(opened.raw, Int32(IPPROTO_IPV6), IPV6_V6ONLY, &zero, socklen_t(4))
    }
    try retryingOnInterrupt(call) {
      // SAFETY: `bytes` is a socket address of the system's making; the pointer stays inside.
      bytes.withUnsafeBytes { raw in
        let target = raw.baseAddress?.assumingMemoryBound(to: sockaddr.self)
        return bind(opened.raw, __CONST_SOCKADDR_ARG(__sockaddr__: target), socklen_t(raw.count))
      }
    }
    try retryingOnInterrupt(call) { Glibc.listen(opened.raw, SOMAXCONN) }
    return opened
  }

  private static func lookUp(
    _ host: String, _ address: ListenAddress
  ) throws(SystemError) -> [SocketAddress] {
    var hints = addrinfo()
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV
    var list: UnsafeMutablePointer<addrinfo>?
    let code = getaddrinfo(host, String(address.port), &hints, &list)
    guard code == 0 else {
      // The resolver has its own numbers; the nearest of errno say enough.
      let reason = code == EAI_SYSTEM ? errno : code == EAI_AGAIN ? EAGAIN : EADDRNOTAVAIL
      throw SystemError(code: reason, call: "listen on \(address) (look up '\(host)')")
    }
    defer { freeaddrinfo(list) }
    var found: [SocketAddress] = []
    // SAFETY: a list of the resolver, copied before it is freed; ai_addr holds ai_addrlen bytes.
    var next = list
    while let entry = next {
      let raw = UnsafeRawBufferPointer(
        start: entry.pointee.ai_addr, count: Int(entry.pointee.ai_addrlen))
      found.append(SocketAddress(family: entry.pointee.ai_family, bytes: Array(raw)))
      next = entry.pointee.ai_next
    }
    return found
  }
}
