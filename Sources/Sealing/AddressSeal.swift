package import Protocol
import Synchronization

/// Where a member listens, for the other members' eyes: sealed with the group's key, and bound to
/// whose addresses they are. Another member could make some up together with the hub, and gain
/// nothing: who answers there has to have the owner's key.
extension Sealer {
  /// Throws `.noKey`.
  package func seal(
    _ addresses: MemberAddresses, of publicID: PublicID
  ) throws(SealFault) -> [UInt8] {
    let key = try latest()
    state.withLock { $0.bodies += 1 }
    var generation = ByteWriter(reserving: 4)
    generation.put(key.generation)
    return SealCipher.sealed(
      addresses.encoded, under: key.bodies, boundTo: Self.bound(publicID, key.generation),
      behind: generation.bytes)
  }

  /// nil unless they were sealed as that member's, under the latest key.
  package func openAddresses(_ sealed: [UInt8], of publicID: PublicID) -> MemberAddresses? {
    var reader = ByteReader(sealed)
    guard let key = try? latest(), (try? reader.uint32()) == key.generation,
      let plain = SealCipher.opened(
        sealed.dropFirst(4), under: key.bodies, boundTo: Self.bound(publicID, key.generation))
    else { return nil }
    return try? MemberAddresses(decoding: plain)
  }

  private static func bound(_ publicID: PublicID, _ generation: UInt32) -> [UInt8] {
    var writer = ByteWriter(reserving: 32)
    writer.put("fsharefs addresses 1")
    writer.put(generation)
    writer.put(publicID)
    return writer.bytes
  }
}
