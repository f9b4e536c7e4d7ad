import Crypto
package import Protocol

/// What the master signs with its device's Ed25519 key (RFC 8032): decisions, and how far the list
/// has come. Every member knows the public half, from the invite or from the first meeting.
extension DeviceIdentity {
  /// Signs in this master's name. About 40 us. Any thread.
  package var sign: @Sendable ([UInt8]) -> [UInt8] {
    { [signing] bytes in
      guard let signature = try? signing.signature(for: bytes) else {
        preconditionFailure("signing with a valid Ed25519 key cannot fail")
      }
      return Array(signature)
    }
  }
}

extension DeviceKey {
  /// Whether the master with this key decided so. About 100 us.
  package func hasSigned(_ decision: MemberRecord) -> Bool {
    hasSigned(decision.signedBytes, decision.signature)
  }

  /// Whether the list of the master with this key has come so far. About 100 us.
  package func hasSigned(_ head: HeadProof) -> Bool { hasSigned(head.signedBytes, head.signature) }

  package func hasSigned(_ bytes: [UInt8], _ signature: [UInt8]) -> Bool {
    guard let key = try? Curve25519.Signing.PublicKey(rawRepresentation: signing) else {
      return false
    }
    return key.isValidSignature(signature, for: bytes)
  }
}
