import Glibc
import System

/// What the resolver says of a host's name.
package enum HostLookUp: Sendable {
  /// Numeric addresses, best first; at least one.
  case found([String])
  /// There is no such name, as the name servers say.
  case unknown
  /// Why there is none, for now.
  case failed(String)

  /// More addresses than any hub has: each that is tried may cost seconds.
  private static let most = 16

  /// The address that a text says in numbers, with which nobody has to be asked; nil for a name.
  /// Does not block.
  static func numeric(_ host: String) -> String? {
    guard case .found(let addresses) = ask(host, AI_NUMERICHOST) else { return nil }
    return addresses[0]
  }

  /// Whether a text is an address in numbers. Does not block.
  package static func isNumeric(_ host: String) -> Bool { numeric(host) != nil }

  /// Asks for a name. Blocks, for half a minute where no name server answers, or longer: for a
  /// thread of its own.
  package static func ask(_ host: String) -> HostLookUp { ask(host, 0) }

  private static func ask(_ host: String, _ flags: Int32) -> HostLookUp {
    var hints = addrinfo()
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    hints.ai_flags = flags
    var list: UnsafeMutablePointer<addrinfo>?
    let code = getaddrinfo(host, nil, &hints, &list)
    // For every name that there is not, glibc says one of the two.
    if code == EAI_NONAME || code == EAI_NODATA { return .unknown }
    guard code == 0 else {
      // The resolver's texts are static.
      let reason =
        code == EAI_SYSTEM ? SystemError.reason(errno) : String(cString: gai_strerror(code))
      return .failed("the name cannot be looked up: \(reason)")
    }
    defer { freeaddrinfo(list) }
    var found: [String] = []
    // SAFETY: a list of the resolver, read before it is freed.
    var next = list
    while let entry = next, found.count < most {
      if let text = text(of: entry.pointee), !found.contains(text) { found.append(text) }
      next = entry.pointee.ai_next
    }
    return found.isEmpty ? .failed("the name has no address") : .found(found)
  }

  private static func text(of entry: addrinfo) -> String? {
    var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
    // SAFETY: `ai_addr` holds `ai_addrlen` bytes.
    guard
      getnameinfo(
        entry.ai_addr, entry.ai_addrlen, &text, socklen_t(text.count), nil, 0, NI_NUMERICHOST)
        == 0
    else { return nil }
    return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}
