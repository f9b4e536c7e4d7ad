import Crypto
import System

/// A secret that a browser shows again: here only its hash is kept.
enum Secret {
  /// 128 random bits, as text that can stand in an address.
  static func make() -> String { hex(SecureRandom.bytes(16)) }

  /// What is kept of a secret.
  static func hash(_ secret: String) -> String { hex(SHA256.hash(data: Array(secret.utf8))) }

  /// SHA-256 of a certificate, for people to compare.
  static func fingerprint(_ der: [UInt8]) -> String {
    SHA256.hash(data: der).map { hex([$0]).uppercased() }.joined(separator: ":")
  }

  static func hex(_ bytes: some Sequence<UInt8>) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }
}
