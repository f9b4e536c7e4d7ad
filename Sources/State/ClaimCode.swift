package import Protocol
import Sealing
import System

/// A hub's one-time claim code: who gives it becomes the master of a hub that has none. It lies in
/// the hub's state folder until then, and nowhere else: never in a log, an argument or the
/// environment.
package struct ClaimCode: Equatable, Sendable, CustomStringConvertible {
  /// Douglas Crockford's base32: no letter is taken for a digit.
  private static let alphabet = Array("0123456789ABCDEFGHJKMNPQRSTVWXYZ".utf8)
  /// Digits of a code: 120 bits, beyond any guessing.
  private static let length = 24

  private let digits: [UInt8]

  /// A new one.
  package init() {
    digits = SecureRandom.bytes(Self.length).map { Self.alphabet[Int($0 & 31)] }
  }

  /// nil where `text` is not a code; case, spaces, dashes and look-alikes do not matter.
  package init?(_ text: [UInt8]) {
    var digits: [UInt8] = []
    for byte in text where !Array(" -\t\r\n".utf8).contains(byte) {
      guard let digit = Self.digit(byte), digits.count < Self.length else { return nil }
      digits.append(digit)
    }
    guard digits.count == Self.length else { return nil }
    self.digits = digits
  }

  /// In groups of four.
  package var description: String {
    stride(from: 0, to: digits.count, by: 4)
      .map { String(decoding: digits[$0..<min($0 + 4, digits.count)], as: UTF8.self) }
      .joined(separator: "-")
  }

  /// What a registration with `key` shows instead of the code, which only the right hub may learn.
  package func proof(challenge: [UInt8], channel: [UInt8], key: DeviceKey) -> [UInt8] {
    ClaimProof.make(code: digits, challenge: challenge, channel: channel, key: key)
  }

  /// Whether the sender of a registration has this code.
  package func isProved(by register: Register, challenge: [UInt8], channel: [UInt8]) -> Bool {
    ClaimProof.holds(
      register.claim, code: digits, challenge: challenge, channel: channel, key: register.key)
  }

  private static func digit(_ byte: UInt8) -> UInt8? {
    let upper = (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) ? byte - 32 : byte
    switch upper {
    case UInt8(ascii: "O"): return UInt8(ascii: "0")
    case UInt8(ascii: "I"), UInt8(ascii: "L"): return UInt8(ascii: "1")
    default: return alphabet.contains(upper) ? upper : nil
    }
  }
}

extension ClaimCode {
  /// The code in a file; nil where there is none.
  package static func read(_ path: String) throws(StateFault) -> ClaimCode? {
    guard let bytes = try StateFile.read(.claimCode, path) else { return nil }
    guard let code = ClaimCode(bytes) else { throw .damaged(.claimCode, path) }
    return code
  }
}
