import Crypto
package import Protocol

/// A client's private id: an Ed25519 and an X25519 key. The private halves never leave this
/// machine.
package struct DeviceIdentity: Sendable {
  let signing: Curve25519.Signing.PrivateKey
  let agreement: Curve25519.KeyAgreement.PrivateKey

  /// A new private id.
  package init() {
    signing = Curve25519.Signing.PrivateKey()
    agreement = Curve25519.KeyAgreement.PrivateKey()
  }

  /// Bytes of `serialized`.
  package static let serializedLength = 64

  /// A private id that was kept; nil where the bytes are not one.
  package init?(serialized: [UInt8]) {
    guard serialized.count == Self.serializedLength,
      let signing = try? Curve25519.Signing.PrivateKey(rawRepresentation: serialized[..<32]),
      let agreement = try? Curve25519.KeyAgreement.PrivateKey(rawRepresentation: serialized[32...])
    else { return nil }
    self.signing = signing
    self.agreement = agreement
  }

  /// Both private keys: secret, for the state folder only.
  package var serialized: [UInt8] {
    Array(signing.rawRepresentation) + Array(agreement.rawRepresentation)
  }

  /// The private half of the signing key: secret, for TLS between members, which signs with it what
  /// nothing else of this program signs (RFC 8446, 4.4.3).
  package var signingSeed: [UInt8] { Array(signing.rawRepresentation) }

  /// The public halves.
  package var key: DeviceKey {
    DeviceKey(
      signing: Array(signing.publicKey.rawRepresentation),
      agreement: Array(agreement.publicKey.rawRepresentation))
  }

  /// The registration that proves, to whoever gave `challenge` over `channel` (SHA-256 of the hub's
  /// TLS key; empty without TLS), that the sender holds the key. `reached`: the latest generation
  /// of the group key that this device ever had.
  package func register(
    asMaster: Bool, challenge: [UInt8], channel: [UInt8], incarnation: Incarnation,
    reached: UInt32 = 0, name: DeviceName, system: String, claim: [UInt8] = []
  ) -> Register {
    let signed = Register.signedBytes(
      asMaster: asMaster, challenge: challenge, channel: channel, key: key,
      incarnation: incarnation, reached: reached, versions: .spoken)
    guard let signature = try? signing.signature(for: signed) else {
      preconditionFailure("signing with a valid Ed25519 key cannot fail")
    }
    return Register(
      key: key, incarnation: incarnation, reached: reached, name: name, system: system,
      claim: claim,
      proof: Array(signature))
  }

  /// Whether the sender of `register` holds the private half of its key.
  package static func proofHolds(
    _ register: Register, asMaster: Bool, challenge: [UInt8], channel: [UInt8]
  ) -> Bool {
    let signed = Register.signedBytes(
      asMaster: asMaster, challenge: challenge, channel: channel, key: register.key,
      incarnation: register.incarnation, reached: register.reached, versions: register.versions)
    guard let key = try? Curve25519.Signing.PublicKey(rawRepresentation: register.key.signing)
    else { return false }
    return key.isValidSignature(register.proof, for: signed)
  }
}
