/// Where one may dial a member.
package struct LineTarget: Hashable, Sendable, CustomStringConvertible {
  /// Numeric.
  package let host: String
  package let port: UInt16
  package init(host: String, port: UInt16) {
    self.host = host
    self.port = port
  }

  /// `host:port`.
  package var description: String { joinHostAndPort(host, port) }
}
