import Crypto
package import Protocol

/// Others' leaves as they lie in a disk cache: `12 bytes nonce ‖ AES-128-GCM ciphertext ‖ 16 bytes
/// tag`, under keys derived from a secret of this device, one for each version. Owner, entry,
/// version, index and length are associated data: what was changed, or lies where something else
/// belongs, does not open. Any thread.
package struct CacheSeal: Sendable {
  /// Bytes of the secret.
  package static let secretLength = 32
  /// Bytes that the seal adds.
  package static let overhead = SealCipher.overhead

  private let secret: SymmetricKey

  /// nil where `secret` has not its length.
  package init?(secret: [UInt8]) {
    guard secret.count == Self.secretLength else { return nil }
    self.secret = SymmetricKey(data: secret)
  }

  /// A leaf as it goes to the disk. Complexity: O(bytes).
  package func seal(_ leaf: [UInt8], _ key: LeafKey) -> [UInt8] {
    SealCipher.sealed(leaf, under: derived(key), boundTo: Self.head(key, leaf.count))
  }

  /// Opens what lay on the disk. nil unless it is what `seal` made of this very leaf. Complexity:
  /// O(bytes).
  package func open(_ sealed: [UInt8], _ key: LeafKey) -> [UInt8]? {
    let length = sealed.count - Self.overhead
    guard length >= 0 else { return nil }
    return SealCipher.opened(sealed, under: derived(key), boundTo: Self.head(key, length))
  }

  /// What a leaf is bound to: the head of the frame that would carry it, under no generation.
  private static func head(_ key: LeafKey, _ length: Int) -> [UInt8] {
    BulkFrame.header(key.sealed(0), payload: length)
  }

  /// The key of one version: random nonces stay far from their limit, however much passes through
  /// the cache.
  private func derived(_ key: LeafKey) -> SymmetricKey {
    var info = ByteWriter(reserving: 64)
    info.put("fsharefs cache 1")
    info.put(key.owner)
    info.put(key.entry)
    info.put(key.version)
    return HKDF<SHA256>.expand(pseudoRandomKey: secret, info: info.bytes, outputByteCount: 16)
  }
}
