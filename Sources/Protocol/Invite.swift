/// What a newcomer needs to find a group and to know that it is the right one. No secret: whoever
/// has it must still be approved.
///
///     fsharefs://HOST:PORT/PIN/MASTER
package struct Invite: Equatable, Sendable, CustomStringConvertible {
  /// A host name or a numeric address, IPv6 without brackets.
  package let host: String
  package let port: UInt16
  /// Of the hub's TLS key.
  package let hub: Fingerprint
  /// Of the master's key.
  package let master: Fingerprint

  /// Bytes of the longest link.
  package static let limit = 512
  /// What every link begins with.
  package static let scheme = "fsharefs://"

  /// nil where the host cannot be one or the port is 0.
  package init?(host: String, port: UInt16, hub: Fingerprint, master: Fingerprint) {
    guard Self.isHost(host), port != 0 else { return nil }
    self.host = host
    self.port = port
    self.hub = hub
    self.master = master
  }

  /// nil where `link` is not an invite, whole and unchanged.
  package init?(link: String) {
    guard link.utf8.count <= Self.limit, link.hasPrefix(Self.scheme) else { return nil }
    let parts = link.dropFirst(Self.scheme.count)
      .split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 3, let colon = parts[0].lastIndex(of: ":"),
      let hub = Fingerprint(text: parts[1]), let master = Fingerprint(text: parts[2])
    else { return nil }
    var host = parts[0][..<colon]
    let digits = parts[0][parts[0].index(after: colon)...]
    guard let port = UInt16(digits), "\(port)" == digits else { return nil }
    if host.contains(":") {
      guard host.first == "[", host.last == "]" else { return nil }
      host = host.dropFirst().dropLast()
    }
    self.init(host: String(host), port: port, hub: hub, master: master)
  }

  /// The link.
  package var description: String {
    "\(Self.scheme)\(joinHostAndPort(host, port))/\(hub)/\(master)"
  }

  /// Letters, digits and what names and numeric addresses have between them.
  private static func isHost(_ host: String) -> Bool {
    (1...253).contains(host.utf8.count)
      && host.utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
          UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"),
          UInt8(ascii: ":"), UInt8(ascii: "_"), UInt8(ascii: "%"):
          true
        default: false
        }
      }
  }
}
