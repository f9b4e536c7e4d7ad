/// Where a hub listens.
package struct ListenAddress: Sendable, Equatable, CustomStringConvertible {
  /// A host name or a numeric address; empty for every address of the machine.
  package let host: String
  /// The port; 0 lets the system choose.
  package let port: UInt16

  /// The port that a hub listens on when none is given.
  package static let defaultPort: UInt16 = 7420

  /// An address from its parts.
  package init(host: String, port: UInt16) {
    self.host = host
    self.port = port
  }

  /// Reads `127.0.0.1:0`, `[::1]:7420`, `:7420`, `0.0.0.0:7420`, `name`.
  package init(parsing text: String) throws(AddressError) {
    let (host, port) = try splitHostAndPort(text)
    self.init(host: host, port: port ?? Self.defaultPort)
  }

  /// `host:port`.
  package var description: String { joinHostAndPort(host, port) }
}
