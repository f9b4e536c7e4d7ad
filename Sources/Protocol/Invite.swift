/// What a newcomer needs to find a group and to know that it is the right one. No secret: whoever
/// has it must still be approved.
///
///     fsharefs://HOST:PORT/PIN/MASTER
///     fsharefs://HOST:PORT/PIN/MASTER/ADDRESS,ADDRESS
package struct Invite: Equatable, Sendable, CustomStringConvertible {
  /// A host name or a numeric address, IPv6 without brackets.
  package let host: String
  package let port: UInt16
  /// Of the hub's TLS key.
  package let hub: Fingerprint
  /// Of the master's key.
  package let master: Fingerprint
  /// Other addresses of the hub, numeric, IPv6 without brackets; the port is the same.
  package let also: [String]

  /// The most other addresses in an invite.
  package static let alsoLimit = 6
  /// Bytes of the longest link.
  package static let limit = 512
  /// What every link begins with.
  package static let scheme = "fsharefs://"

  /// nil where a host cannot be one, the port is 0, or there are too many other addresses.
  package init?(
    host: String, port: UInt16, hub: Fingerprint, master: Fingerprint, also: [String] = []
  ) {
    guard Self.isHost(host), port != 0, also.count <= Self.alsoLimit,
      also.allSatisfy({ Self.isHost($0) && !$0.contains("/") })
    else { return nil }
    self.also = also
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
    guard (3...4).contains(parts.count), let colon = parts[0].lastIndex(of: ":"),
      let hub = Fingerprint(text: parts[1]), let master = Fingerprint(text: parts[2])
    else { return nil }
    var host = parts[0][..<colon]
    let digits = parts[0][parts[0].index(after: colon)...]
    guard let port = UInt16(digits), "\(port)" == digits else { return nil }
    if host.contains(":") {
      guard host.first == "[", host.last == "]" else { return nil }
      host = host.dropFirst().dropLast()
    }
    let also =
      parts.count == 3 ? [] : parts[3].split(separator: ",", omittingEmptySubsequences: false)
    if parts.count == 4, also.contains("") { return nil }
    self.init(host: String(host), port: port, hub: hub, master: master, also: also.map(String.init))
  }

  /// The link.
  package var description: String {
    "\(Self.scheme)\(joinHostAndPort(host, port))/\(hub)/\(master)"
      + (also.isEmpty ? "" : "/" + also.joined(separator: ","))
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
