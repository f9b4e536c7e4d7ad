import Glibc

/// TCP on 127.0.0.1.
enum Loopback {
  /// A listening socket at a port that the system chose.
  static func listener() throws -> (socket: Int32, port: UInt16) {
    let listener = try socket()
    var address = self.address(0)
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    try checked("bind") {
      with(&address) { bind(listener, __CONST_SOCKADDR_ARG(__sockaddr__: $0), length) }
    }
    try checked("listen") { listen(listener, 64) }
    try checked("getsockname") {
      with(&address) { getsockname(listener, __SOCKADDR_ARG(__sockaddr__: $0), &length) }
    }
    return (listener, UInt16(bigEndian: address.sin_port))
  }

  /// A port that was free a moment ago, for a server that cannot choose one itself.
  static func freePort() throws -> UInt16 {
    let (socket, port) = try listener()
    close(socket)
    return port
  }

  static func connected(to port: UInt16) throws -> Int32 {
    let socket = try socket()
    var address = self.address(port)
    do {
      try checked("connect to port \(port)") {
        with(&address) {
          connect(
            socket, __CONST_SOCKADDR_ARG(__sockaddr__: $0),
            socklen_t(MemoryLayout<sockaddr_in>.size))
        }
      }
    } catch {
      close(socket)
      throw error
    }
    return socket
  }

  static func accepted(_ listener: Int32) throws -> Int32 {
    try checked("accept") {
      accept4(listener, __SOCKADDR_ARG(), nil, Int32(SOCK_CLOEXEC.rawValue))
    }
  }

  /// Sends what is written at once, and never blocks.
  static func makeImmediate(_ socket: Int32) throws {
    var on: Int32 = 1
    try checked("TCP_NODELAY") {
      setsockopt(socket, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
    }
    let flags = try checked("fcntl") { fcntl(socket, F_GETFL) }
    try checked("fcntl") { fcntl(socket, F_SETFL, flags | O_NONBLOCK) }
  }

  private static func socket() throws -> Int32 {
    try checked("socket") {
      Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    }
  }

  private static func address(_ port: UInt16) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    return address
  }

  private static func with<Result>(
    _ address: inout sockaddr_in, _ body: (UnsafeMutablePointer<sockaddr>) -> Result
  ) -> Result {
    // SAFETY: a sockaddr_in is what AF_INET says is behind a sockaddr; the pointer stays inside.
    withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1, body)
    }
  }
}
