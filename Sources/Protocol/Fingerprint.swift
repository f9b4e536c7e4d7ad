/// SHA-256 of a public key: what a pin compares. Written in base64url (RFC 4648, section 5), 43
/// characters.
package struct Fingerprint: Hashable, Sendable, CustomStringConvertible {
  package let bytes: [UInt8]
  /// Bytes of a fingerprint.
  package static let length = 32
  private static let alphabet = Array(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

  /// nil unless there are 32 bytes.
  package init?(_ bytes: [UInt8]) {
    guard bytes.count == Self.length else { return nil }
    self.bytes = bytes
  }

  /// nil where `text` is not a fingerprint as `description` writes it.
  package init?(text: some StringProtocol) {
    var bits: UInt32 = 0
    var count = 0
    var bytes: [UInt8] = []
    for character in text.utf8 {
      guard bytes.count < Self.length, let digit = Self.alphabet.firstIndex(of: character) else {
        return nil
      }
      bits = bits << 6 | UInt32(digit)
      count += 6
      if count >= 8 {
        count -= 8
        bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
      }
    }
    guard bytes.count == Self.length, bits & ((1 << UInt32(count)) - 1) == 0, count < 6 else {
      return nil
    }
    self.bytes = bytes
  }

  package var description: String {
    var text: [UInt8] = []
    var bits: UInt32 = 0
    var count = 0
    for byte in bytes {
      bits = bits << 8 | UInt32(byte)
      count += 8
      while count >= 6 {
        count -= 6
        text.append(Self.alphabet[Int(bits >> UInt32(count) & 63)])
      }
    }
    if count > 0 { text.append(Self.alphabet[Int(bits << UInt32(6 - count) & 63)]) }
    return String(decoding: text, as: UTF8.self)
  }
}
