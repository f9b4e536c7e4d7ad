import Crypto
import Protocol

/// One generation of the group's key: made by the master, known to every approved member and to
/// nobody else.
///
/// Nothing is sealed with the secret itself. Bodies of messages have a key of their own; so has
/// each version of each file, which keeps the random nonces of AES-GCM far from their limit (2^32
/// per key, NIST SP 800-38D, section 8.3) however much a group reads.
package struct GroupKey: Sendable {
  /// Counts from 1; 0 stands for 'no key'.
  package let generation: UInt32
  private let secret: SymmetricKey
  /// Seals the bodies of messages.
  let bodies: SymmetricKey

  /// Bytes of the secret.
  package static let secretLength = 32

  /// A key that was kept or received; nil where it cannot be one.
  package init?(generation: UInt32, secret: [UInt8]) {
    guard generation > 0, secret.count == Self.secretLength else { return nil }
    self.init(generation, SymmetricKey(data: secret))
  }

  /// A new key. Requires: a generation above 0.
  package init(newGeneration generation: UInt32) {
    precondition(generation > 0, "generation 0 means 'no key'")
    self.init(generation, SymmetricKey(size: .bits256))
  }

  private init(_ generation: UInt32, _ secret: SymmetricKey) {
    self.generation = generation
    self.secret = secret
    bodies = Self.derive(secret, Array("fsharefs bodies 1".utf8), bytes: 32)
  }

  /// The secret: for the state folder of the master only.
  package var secretBytes: [UInt8] { secret.withUnsafeBytes { Array($0) } }

  /// The key of one version of one entry. 128 bits: leaves are many, and AES-128 is what is fast.
  func leaves(of key: LeafKey) -> SymmetricKey {
    var info = ByteWriter(reserving: 64)
    info.put("fsharefs leaves 1")
    info.put(key.owner)
    info.put(key.entry)
    info.put(key.version)
    return Self.derive(secret, info.bytes, bytes: 16)
  }

  private static func derive(_ secret: SymmetricKey, _ info: [UInt8], bytes: Int) -> SymmetricKey {
    HKDF<SHA256>.expand(pseudoRandomKey: secret, info: info, outputByteCount: bytes)
  }
}
