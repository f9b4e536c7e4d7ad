/// Where a hub is to be reached.
package struct HubAddress: Sendable, Equatable, CustomStringConvertible {
  /// A host name or a numeric address.
  package let host: String
  /// The port.
  package let port: UInt16
  /// Whether the control plane runs over TLS.
  package let secure: Bool

  /// An address from its parts.
  package init(host: String, port: UInt16, secure: Bool) throws(AddressError) {
    guard !host.isEmpty else { throw AddressError("the hub's address has no host") }
    guard port != 0 else { throw AddressError("the hub's port cannot be 0") }
    self.host = host
    self.port = port
    self.secure = secure
  }

  /// Reads `host`, `host:port`, `[::1]:7420`, `wss://host:port`; without TLS `ws://host:port`; and
  /// `//host:port/name`, as network drives are called in fstab, whatever the name.
  package init(parsing text: String) throws(AddressError) {
    var rest = text
    var secure = true
    if let scheme = text.firstRange(of: "://") {
      switch text[..<scheme.lowerBound].lowercased() {
      case "ws": secure = false
      case "wss": secure = true
      default: throw AddressError("'\(text)': a hub's address begins with wss:// or ws://")
      }
      rest = String(text[scheme.upperBound...])
      if rest.hasSuffix("/") { rest.removeLast() }
    }
    if text.hasPrefix("//") { rest = String(text.dropFirst(2).prefix { $0 != "/" }) }
    let (host, port) = try splitHostAndPort(rest)
    try self.init(host: host, port: port ?? ListenAddress.defaultPort, secure: secure)
  }

  /// `host:port`.
  package var description: String { joinHostAndPort(host, port) }

  /// What `init(parsing:)` reads as the same address: with `ws://` where there is no TLS.
  package var text: String { secure ? description : "ws://\(description)" }
}
