import COpenSSL
import Crypto
package import Protocol

/// Others' leaves as they lie in a disk cache: `12 bytes nonce ‖ AES-128-GCM ciphertext ‖ 16 bytes tag`, under
/// keys derived from a secret of this device, one for each version. Owner, entry, version, index and length are
/// associated data: what was changed, or lies where something else belongs, does not open. Any thread.
package struct CacheSeal: Sendable {
  private static let nonce = Int(copenssl_nonce_length)
  private static let tag = Int(copenssl_tag_length)
  /// Bytes of the secret.
  package static let secretLength = 32
  /// Bytes that the seal adds.
  package static let overhead = nonce + tag
  /// Where the leaf begins in what was opened.
  package static let plainOffset = nonce

  private let secret: SymmetricKey

  /// nil where `secret` has not its length.
  package init?(secret: [UInt8]) {
    guard secret.count == Self.secretLength else { return nil }
    self.secret = SymmetricKey(data: secret)
  }

  /// A leaf as it goes to the disk. Complexity: O(bytes).
  package func seal(_ leaf: ArraySlice<UInt8>, _ key: LeafKey) -> [UInt8] {
    let length = leaf.count
    let head = Self.head(key, length)
    return [UInt8](unsafeUninitializedCapacity: length + Self.overhead) { buffer, count in
      // SAFETY: the buffer has room for nonce, `length` bytes and tag, all of which are written before it counts
      // as an array: the leaf is copied behind the nonce and sealed there.
      guard let bytes = buffer.baseAddress else { return }
      leaf.withUnsafeBufferPointer { plain in
        if let start = plain.baseAddress {
          (bytes + Self.nonce).update(from: start, count: length)
        }
      }
      let isSealed = derived(key).withUnsafeBytes { secret in
        copenssl_seal(
          secret.bindMemory(to: UInt8.self).baseAddress, head, Int32(head.count), bytes,
          bytes + Self.nonce, Int32(length), bytes + Self.nonce + length)
      }
      precondition(isSealed == 1, "AES-GCM with a 128-bit key and a 96-bit nonce always seals")
      count = length + Self.overhead
    }
  }

  /// Opens what lay on the disk in its place: the leaf lies in the answer from `plainOffset` on. nil unless it is
  /// what `seal` made of this very leaf. Complexity: O(bytes).
  package func open(_ sealed: consuming [UInt8], _ key: LeafKey) -> [UInt8]? {
    let length = sealed.count - Self.overhead
    guard length >= 0 else { return nil }
    let head = Self.head(key, length)
    let isOpened = sealed.withUnsafeMutableBufferPointer { sealed in
      derived(key).withUnsafeBytes { secret in
        // SAFETY: `sealed` has nonce, `length` bytes and tag.
        guard let bytes = sealed.baseAddress else { return false }
        return copenssl_open(
          secret.bindMemory(to: UInt8.self).baseAddress, head, Int32(head.count), bytes,
          bytes + Self.nonce, Int32(length), bytes + Self.nonce + length, bytes + Self.nonce) == 1
      }
    }
    guard isOpened else { return nil }
    sealed.removeLast(Self.tag)
    return sealed
  }

  /// What a leaf is bound to: the head of the frame that would carry it, under no generation.
  private static func head(_ key: LeafKey, _ length: Int) -> [UInt8] {
    BulkFrame.header(key.sealed(0), payload: length)
  }

  /// The key of one version: random nonces stay far from their limit, however much passes through the cache.
  private func derived(_ key: LeafKey) -> SymmetricKey {
    var info = ByteWriter(reserving: 64)
    info.put("fsharefs cache 1")
    info.put(key.owner)
    info.put(key.entry)
    info.put(key.version)
    return HKDF<SHA256>.expand(pseudoRandomKey: secret, info: info.bytes, outputByteCount: 16)
  }
}
