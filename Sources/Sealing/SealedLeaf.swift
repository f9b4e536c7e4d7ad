import Crypto
package import Protocol
import Synchronization

/// Leaves: `12 bytes nonce ‖ AES-128-GCM ciphertext ‖ 16 bytes tag` behind the head of a
/// CHUNK_READY, which is the associated data: owner, entry, version, scale, generation and index
/// cannot be changed.
extension Sealer {
  /// A whole CHUNK_READY frame around `length` plain bytes that `read` writes. nil where `read`
  /// threw or gave fewer bytes. Throws `.generation` unless the key's generation is the one in use:
  /// nothing new is sealed under a key that somebody who was disapproved may have.
  package func frame(
    _ key: LeafKey, length: Int, read: (UnsafeMutableRawBufferPointer) throws -> Int
  ) throws(SealFault) -> [UInt8]? {
    guard key.generation == generation, let secret = leafKey(key) else {
      throw .generation(key.generation)
    }
    guard let plain = LeafBuffer.filled(length, by: read) else { return nil }
    let header = BulkFrame.header(key, payload: length + SealCipher.overhead)
    return SealCipher.sealed(plain, under: secret, boundTo: header, behind: header)
  }

  /// Opens a received frame. nil unless it is what a member of the group sealed under `key`.
  package func open(_ frame: [UInt8], key: LeafKey) -> [UInt8]? {
    guard let secret = leafKey(key) else { return nil }
    let sealed = frame.dropFirst(BulkFrame.payloadOffset)
    return SealCipher.opened(
      sealed, under: secret, boundTo: BulkFrame.header(key, payload: sealed.count))
  }

  /// The key that a leaf is sealed with; nil where that generation is not known.
  func leafKey(_ key: LeafKey) -> SymmetricKey? {
    state.withLock { state in
      guard let group = state.keys.last(where: { $0.generation == key.generation }) else {
        return nil
      }
      return state.leafKeys.key(key, of: group)
    }
  }
}

/// Derived keys of the versions that were read or served last.
struct LeafKeyring {
  private struct Version: Hashable {
    let generation: UInt32
    let owner: PublicID
    let entry: EntryID
    let version: RandomID
  }

  /// Versions that are read at a time by far; deriving again costs microseconds.
  private static let limit = 1_024
  private var keys: [Version: SymmetricKey] = [:]

  /// The key of the version that `key` is a leaf of.
  mutating func key(_ key: LeafKey, of group: GroupKey) -> SymmetricKey {
    let version = Version(
      generation: key.generation, owner: key.owner, entry: key.entry, version: key.version)
    if let known = keys[version] { return known }
    if keys.count >= Self.limit { keys.removeAll(keepingCapacity: true) }
    let derived = group.leaves(of: key)
    keys[version] = derived
    return derived
  }
}
