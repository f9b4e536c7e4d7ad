import Glibc
import System

/// Connects to addresses to see whether anybody listens; nothing is said.
enum TCPProbe {
  /// An address, as the system's calls take it, and as people read it.
  struct Address: Sendable {
    let name: String
    fileprivate let bytes: [UInt8]
    fileprivate let family: Int32
  }

  /// How an address answered.
  struct Answer: Sendable {
    let name: String
    /// Why nobody listens; nil where somebody does.
    let fault: String?
  }

  /// How long looking up a name, and all connections together, may take.
  private static let patience: Duration = .seconds(3)

  /// A numeric address; nil where it is none.
  static func numeric(_ host: String, _ port: UInt16) -> Address? {
    resolve(host, port, AI_NUMERICHOST)?.first
  }

  /// The addresses of a name; nil where there is none in time. A look-up that hangs ends with the
  /// program.
  static func addresses(of host: String, _ port: UInt16) -> [Address]? {
    let found = Monitor<[Address]??>(nil)
    let thread = try? Thread.start(name: "look-up") {
      let addresses = resolve(host, port, 0)
      found.update { $0 = .some(addresses) }
    }
    guard thread != nil else { return nil }
    return found.wait(timeout: patience) { $0 } ?? nil
  }

  /// Connects to all at the same time. In their order.
  static func connect(_ addresses: [Address]) -> [Answer] {
    let end = MonotonicClock.now + patience
    let begun = addresses.map { (address: $0, connection: begin($0)) }
    return begun.map { address, connection in
      switch connection {
      case .failure(let error): Answer(name: address.name, fault: SystemError.reason(error.code))
      case .success(let socket): Answer(name: address.name, fault: outcome(socket, until: end))
      }
    }
  }

  private static func begin(_ address: Address) -> Result<OwnedDescriptor, SystemError> {
    let kind = Int32(
      SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
    let raw = socket(address.family, kind, 0)
    guard raw >= 0 else { return .failure(SystemError("make a socket")) }
    let made = OwnedDescriptor(raw)
    let code = address.bytes.withUnsafeBytes { bytes in
      // SAFETY: the bytes are a socket address of the length given, read before this returns.
      Glibc.connect(
        raw,
        __CONST_SOCKADDR_ARG(
          __sockaddr__: bytes.baseAddress!.assumingMemoryBound(to: sockaddr.self)),
        socklen_t(bytes.count))
    }
    return code == 0 || errno == EINPROGRESS ? .success(made) : .failure(SystemError("connect"))
  }

  private static func outcome(_ socket: OwnedDescriptor, until end: Duration) -> String? {
    while true {
      let left = Int32(clamping: Int64(max(.zero, end - MonotonicClock.now) / .milliseconds(1)))
      var wanted = pollfd(fd: socket.raw, events: Int16(POLLOUT), revents: 0)
      let count = poll(&wanted, 1, left)
      if count < 0, errno == EINTR { continue }
      if count == 0 { return "no answer" }
      var code: Int32 = 0
      var length = socklen_t(MemoryLayout<Int32>.size)
      getsockopt(socket.raw, SOL_SOCKET, SO_ERROR, &code, &length)
      return code == 0 ? nil : SystemError.reason(code)
    }
  }

  private static func resolve(_ host: String, _ port: UInt16, _ flags: Int32) -> [Address]? {
    var hints = addrinfo()
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    hints.ai_flags = flags | AI_NUMERICSERV
    var list: UnsafeMutablePointer<addrinfo>?
    guard getaddrinfo(host, "\(port)", &hints, &list) == 0 else { return nil }
    defer { freeaddrinfo(list) }
    var found: [Address] = []
    // SAFETY: a list of the system, copied before it is freed.
    var next = list
    while let entry = next?.pointee {
      next = entry.ai_next
      guard let address = entry.ai_addr else { continue }
      var name = [CChar](repeating: 0, count: Int(NI_MAXHOST))
      guard
        getnameinfo(
          address, entry.ai_addrlen, &name, socklen_t(name.count), nil, 0, NI_NUMERICHOST) == 0
      else { continue }
      let bytes = UnsafeRawBufferPointer(start: address, count: Int(entry.ai_addrlen))
      found.append(
        Address(
          name: String(
            decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self),
          bytes: Array(bytes), family: entry.ai_family))
    }
    return found.isEmpty ? nil : found
  }
}
