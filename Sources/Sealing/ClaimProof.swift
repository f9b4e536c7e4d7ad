import Crypto
package import Protocol

/// What the master shows a hub instead of its claim code, so that a hub to which the code does not
/// belong learns nothing to claim another with: the code has 120 bits, which nobody guesses from
/// the proof.
package enum ClaimProof {
  /// HMAC-SHA256 under the code's digits. `challenge`, `channel`: as in `Register.signedBytes`.
  package static func make(
    code: [UInt8], challenge: [UInt8], channel: [UInt8], key: DeviceKey
  ) -> [UInt8] {
    let bytes = bytes(challenge, channel, key)
    return Array(
      HMAC<SHA256>.authenticationCode(for: bytes, using: SymmetricKey(data: code)))
  }

  /// Whether `claim` is the proof. How long the answer takes says nothing about how much of it is
  /// right.
  package static func holds(
    _ claim: [UInt8], code: [UInt8], challenge: [UInt8], channel: [UInt8], key: DeviceKey
  ) -> Bool {
    HMAC<SHA256>.isValidAuthenticationCode(
      claim, authenticating: bytes(challenge, channel, key), using: SymmetricKey(data: code))
  }

  private static func bytes(
    _ challenge: [UInt8], _ channel: [UInt8], _ key: DeviceKey
  ) -> [UInt8] {
    var writer = ByteWriter(reserving: 192)
    writer.put("fsharefs claim 1")
    writer.putBytes16(challenge)
    writer.putBytes16(channel)
    writer.putBytes16(key.signing)
    writer.putBytes16(key.agreement)
    return writer.bytes
  }
}
