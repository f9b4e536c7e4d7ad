/// Where a hub is to be reached.
package struct HubAddress: Sendable, Equatable, CustomStringConvertible {
  /// A host name or a numeric address.
  package let host: String
  /// The port.
  package let port: UInt16
  /// Whether the control plane is to run over TLS, which is not built in: always false so far.
  package let secure: Bool

  /// An address from its parts. Throws for `secure`.
  package init(host: String, port: UInt16, secure: Bool = false) throws(AddressError) {
    guard !host.isEmpty else { throw AddressError("the hub's address has no host") }
    guard port != 0 else { throw AddressError("the hub's port cannot be 0") }
    guard !secure else { throw AddressError("'wss://\(host)': TLS is not built in; use ws://") }
    self.host = host
    self.port = port
    self.secure = secure
  }

  /// Reads `host`, `host:port`, `[::1]:7420`, `ws://host:port`.
  package init(parsing text: String) throws(AddressError) {
    var rest = text
    var secure = false
    if let scheme = text.firstRange(of: "://") {
      switch text[..<scheme.lowerBound].lowercased() {
      case "ws": secure = false
      case "wss": secure = true
      default: throw AddressError("'\(text)': a hub's address begins with ws://")
      }
      rest = String(text[scheme.upperBound...])
      if rest.hasSuffix("/") { rest.removeLast() }
    }
    let (host, port) = try splitHostAndPort(rest)
    try self.init(host: host, port: port ?? ListenAddress.defaultPort, secure: secure)
  }

  /// `host:port`.
  package var description: String { joinHostAndPort(host, port) }
}
