import Crypto
import FoundationEssentials
package import Protocol

/// How the group key reaches a member: HPKE (RFC 9180) in its authenticated mode, from the master's
/// X25519 key to the member's. The hub, which carries and keeps it, can neither open it nor make
/// one.
package enum KeyWrapping {
  private static let suite = HPKE.Ciphersuite.Curve25519_SHA256_ChachaPoly
  /// Bytes of an encapsulated X25519 key.
  private static let encapsulated = 32

  /// `key` for the member with this number and device. nil where `device` is no usable key.
  package static func wrap(
    _ key: GroupKey, for publicID: PublicID, device: DeviceKey, by master: DeviceIdentity
  ) -> GroupKeyMessage? {
    guard
      let recipient = try? Curve25519.KeyAgreement.PublicKey(rawRepresentation: device.agreement),
      master.agreement.secret(with: recipient) != nil,
      var sender = try? HPKE.Sender(
        recipientKey: recipient, ciphersuite: suite, info: info(device, master.key),
        authenticatedBy: master.agreement),
      let sealed = try? sender.seal(
        key.secretBytes, authenticating: bound(publicID, key.generation))
    else { return nil }
    return GroupKeyMessage(
      publicID: publicID, generation: key.generation,
      wrapped: Array(sender.encapsulatedKey) + Array(sealed))
  }

  /// The key in `message`; nil unless this master wrapped it for this device.
  package static func unwrap(
    _ message: GroupKeyMessage, by device: DeviceIdentity, from master: DeviceKey
  ) -> GroupKey? {
    guard message.wrapped.count > encapsulated,
      let sender = try? Curve25519.KeyAgreement.PublicKey(rawRepresentation: master.agreement),
      var recipient = try? HPKE.Recipient(
        privateKey: device.agreement, ciphersuite: suite, info: info(device.key, master),
        encapsulatedKey: Data(message.wrapped[..<encapsulated]), authenticatedBy: sender),
      let secret = try? recipient.open(
        message.wrapped[encapsulated...],
        authenticating: bound(message.publicID, message.generation))
    else { return nil }
    return GroupKey(generation: message.generation, secret: Array(secret))
  }

  /// Whom it is for and whom it is from: both halves of both keys.
  private static func info(_ device: DeviceKey, _ master: DeviceKey) -> Data {
    var writer = ByteWriter(reserving: 160)
    writer.put("fsharefs group key 1")
    writer.put(device)
    writer.put(master)
    return Data(writer.bytes)
  }

  private static func bound(_ publicID: PublicID, _ generation: UInt32) -> [UInt8] {
    var writer = ByteWriter(reserving: 8)
    writer.put(publicID)
    writer.put(generation)
    return writer.bytes
  }
}

extension Curve25519.KeyAgreement.PrivateKey {
  /// The shared secret with a key; nil where it is none: with a point of low order it is zero,
  /// which everyone knows (RFC 7748, section 6.1).
  func secret(with key: Curve25519.KeyAgreement.PublicKey) -> SharedSecret? {
    guard let shared = try? sharedSecretFromKeyAgreement(with: key),
      shared.withUnsafeBytes({ $0.contains { $0 != 0 } })
    else { return nil }
    return shared
  }
}
