import COpenSSL
import Crypto
package import Protocol
import Synchronization

/// Leaves: `12 bytes nonce ‖ AES-128-GCM ciphertext ‖ 16 bytes tag` behind the head of a CHUNK_READY, which
/// is the associated data: owner, entry, version, scale, generation and index cannot be changed.
///
/// Sealed in the frame that leaves, opened into the leaf that stays: by OpenSSL, since swift-crypto hands out
/// copies, which cost more than the cipher.
extension Sealer {
  private static let nonce = Int(copenssl_nonce_length)
  private static let tag = Int(copenssl_tag_length)
  /// Bytes that the seal adds: they stand in front of (nonce) and behind (tag) the ciphertext.
  private static let overhead = nonce + tag
  /// Where the ciphertext begins in a frame, and the leaf in an opened one.
  package static let plainOffset = BulkFrame.payloadOffset + nonce

  /// A whole CHUNK_READY frame around `length` plain bytes that `read` writes. nil where `read` threw or gave
  /// fewer bytes. Throws `.generation` unless the key's generation is the one in use: nothing new is sealed
  /// under a key that somebody who was disapproved may have.
  package func frame(
    _ key: LeafKey, length: Int, read: (UnsafeMutableRawBufferPointer) throws -> Int
  ) throws(SealFault) -> [UInt8]? {
    guard key.generation == generation, let secret = leafKey(key) else {
      throw .generation(key.generation)
    }
    let header = BulkFrame.header(key, payload: length + Self.overhead)
    let size = header.count + length + Self.overhead
    var isWhole = false
    let frame = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
      count = 0
      // SAFETY: the buffer has room for `size` bytes, and all of them are written before it counts as an array:
      // the header, `length` by `read`, nonce and tag by the seal.
      guard let bytes = buffer.baseAddress else { return }
      bytes.update(from: header, count: header.count)
      let plain = UnsafeMutableRawBufferPointer(start: bytes + Self.plainOffset, count: length)
      isWhole = (try? read(plain)) == length
      guard isWhole else { return }
      let isSealed = secret.withUnsafeBytes { secret in
        copenssl_seal(
          secret.bindMemory(to: UInt8.self).baseAddress, header, Int32(header.count),
          bytes + BulkFrame.payloadOffset, bytes + Self.plainOffset, Int32(length),
          bytes + Self.plainOffset + length)
      }
      precondition(isSealed == 1, "AES-GCM with a 128-bit key and a 96-bit nonce always seals")
      count = size
    }
    return isWhole ? frame : nil
  }

  /// Opens a received frame in its place: copying a leaf costs as much as deciphering it. The plain leaf is what
  /// lies in the answer from `plainOffset` on. nil unless it is what a member of the group sealed under `key`.
  package func open(_ frame: consuming [UInt8], key: LeafKey) -> [UInt8]? {
    let length = frame.count - BulkFrame.payloadOffset - Self.overhead
    guard let secret = leafKey(key), length >= 0 else { return nil }
    let header = BulkFrame.header(key, payload: length + Self.overhead)
    let isOpened = frame.withUnsafeMutableBufferPointer { frame in
      secret.withUnsafeBytes { secret in
        // SAFETY: `frame` has nonce, `length` bytes and tag behind its header.
        guard let bytes = frame.baseAddress else { return false }
        return copenssl_open(
          secret.bindMemory(to: UInt8.self).baseAddress, header, Int32(header.count),
          bytes + BulkFrame.payloadOffset, bytes + Self.plainOffset, Int32(length),
          bytes + Self.plainOffset + length, bytes + Self.plainOffset) == 1
      }
    }
    guard isOpened else { return nil }
    frame.removeLast(Self.tag)
    return frame
  }

  private func leafKey(_ key: LeafKey) -> SymmetricKey? {
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
