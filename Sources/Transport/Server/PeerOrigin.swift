/// The place that a connection comes from, as far as one household or machine can choose: an IPv4
/// address, or the first 64 bits of an IPv6 address, whose other half is free to whoever has them.
package struct PeerOrigin: Hashable, Sendable {
  private let bytes: [UInt8]

  /// Of a numeric address, its bytes in network order: 4 or 16; others are all one place.
  package init(address: [UInt8]) {
    let mapped: [UInt8] = [UInt8](repeating: 0, count: 10) + [0xff, 0xff]
    switch address.count {
    case 4: bytes = address
    // A socket that takes both families shows IPv4 as IPv6 (RFC 4291, 2.5.5.2).
    case 16 where address.starts(with: mapped): bytes = Array(address[12...])
    case 16: bytes = Array(address[..<8])
    default: bytes = []
    }
  }

  /// Of the other end of a socket; one that is gone already is of no place.
  init(peerOf descriptor: Int32) {
    self.init(address: SocketEnd.peer(descriptor)?.address ?? [])
  }
}
