/// Where a member listens for other members: a port, and the addresses of its machine. It travels
/// sealed, so that only members read it.
package struct MemberAddresses: Equatable, Sendable {
  /// More are not told, and not tried.
  package static let limit = 16
  /// Bytes of all of it with its seal: more than any needs.
  package static let sealedLimit = 2_048

  /// Where the system, or the user, has it listen.
  package let port: UInt16
  /// Numeric, best first.
  package let hosts: [String]

  /// The first `limit` of these hosts that are short enough to be addresses.
  package init(port: UInt16, hosts: [String]) {
    self.port = port
    self.hosts = Array(hosts.filter { $0.utf8.count <= Limits.address }.prefix(Self.limit))
  }

  /// As bytes, to be sealed.
  package var encoded: [UInt8] {
    var writer = ByteWriter(reserving: 64)
    writer.put(port)
    writer.put(UInt8(hosts.count))
    for host in hosts { writer.put(host) }
    return writer.bytes
  }

  package init(decoding bytes: [UInt8]) throws(DecodingFault) {
    var reader = ByteReader(bytes)
    port = try reader.uint16()
    guard port > 0 else { throw .invalid("port") }
    let count = try reader.uint8()
    guard count <= Self.limit else { throw .tooLong("a member's addresses") }
    var hosts: [String] = []
    for _ in 0..<count { hosts.append(try reader.string(atMost: Limits.address)) }
    self.hosts = hosts
    try reader.finish()
  }
}

/// ADDRESSES: where another member listens, passed on by the hub.
package struct ToldAddresses: Equatable, Sendable {
  package let publicID: PublicID
  /// The numeric address that the hub sees the member come from; empty where it does not know.
  package let seen: String
  /// `MemberAddresses`, sealed by that member; empty where it has told none.
  package let sealed: [UInt8]
  package init(publicID: PublicID, seen: String, sealed: [UInt8]) {
    self.publicID = publicID
    self.seen = seen
    self.sealed = sealed
  }
}
