import Core
import Glibc
import Protocol

/// What each version contains: bytes that follow from the version and the place, so that every byte
/// that a read returns can be checked.
struct ContentBook {
  private struct LeafName: Hashable {
    let version: Version
    let index: UInt64
  }

  private var sizes: [Version: UInt64] = [:]
  private var leaves: [LeafName: [UInt8]] = [:]

  mutating func note(_ version: Version, size: UInt64) { sizes[version] = size }

  /// The bytes of one leaf of a version. Requires: the version was noted and has that leaf.
  mutating func leaf(_ version: Version, _ index: UInt64) -> [UInt8] {
    let name = LeafName(version: version, index: index)
    if let bytes = leaves[name] { return bytes }
    let start = index * UInt64(Limits.leaf)
    let count = Int(min(UInt64(Limits.leaf), sizes[version]! - start))
    let seed = version.low &+ index &* 0x9e37_79b9_7f4a_7c15
    let bytes = [UInt8](unsafeUninitializedCapacity: count + 8) { buffer, initialized in
      // SAFETY: the buffer holds count + 8 bytes, so the last 8-byte store ends inside it.
      let raw = UnsafeMutableRawBufferPointer(buffer)
      var offset = 0
      while offset < count {
        raw.storeBytes(
          of: seed &+ UInt64(offset) &* 0x0100_0000_01b3, toByteOffset: offset, as: UInt64.self)
        offset += 8
      }
      initialized = count
    }
    leaves[name] = bytes
    return bytes
  }

  /// The bytes of one piece of `1 << scale` bytes, or less at the end; nil where the version has no
  /// such piece. Requires: the version was noted.
  mutating func piece(_ version: Version, _ index: UInt64, scale: UInt8) -> [UInt8]? {
    let start = index << UInt64(scale)
    guard index <= Limits.fileSize >> UInt64(scale), start < sizes[version]! else { return nil }
    let leaf = leaf(version, start / UInt64(Limits.leaf))
    if scale == Limits.leafScale { return leaf }
    let offset = Int(start % UInt64(Limits.leaf))
    return Array(leaf[offset..<min(offset + 1 << Int(scale), leaf.count)])
  }

  /// Whether `slices` are exactly the `length` bytes of `content` from `offset` on.
  mutating func matches(
    _ slices: [LeafSlice], _ content: Content, offset: UInt64, length: UInt64
  ) -> Bool {
    var position = offset
    for slice in slices {
      let expected = leaf(content.version, position / UInt64(Limits.leaf))
      let start = Int(position % UInt64(Limits.leaf))
      // It may be of a smaller piece than a leaf.
      guard slice.offset <= start, slice.count > 0, start + slice.count <= expected.count,
        slice.offset + slice.count <= slice.leaf.count
      else { return false }
      let isEqual = slice.leaf.withUnsafeBytes { got in
        // SAFETY: both ranges were checked against their arrays just above.
        expected.withUnsafeBytes { wanted in
          memcmp(got.baseAddress! + slice.offset, wanted.baseAddress! + start, slice.count) == 0
        }
      }
      if !isEqual { return false }
      position += UInt64(slice.count)
    }
    return position == offset + length
  }
}
