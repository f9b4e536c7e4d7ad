package import Protocol

/// One version of somebody's file, as it is read: in leaves, or, by a random reader, in smaller
/// pieces.
package struct Content: Hashable, Sendable {
  package let owner: PublicID
  package let entry: EntryID
  package let version: Version
  package let size: UInt64
  package init(owner: PublicID, entry: EntryID, version: Version, size: UInt64) {
    self.owner = owner
    self.entry = entry
    self.version = version
    self.size = size
  }

  package var file: EntryKey { EntryKey(owner, entry) }
  package var name: VersionKey { VersionKey(file, version) }

  /// The piece `index` of `1 << scale` bytes each.
  func key(_ index: UInt64, scale: UInt8 = Limits.leafScale) -> LeafKey {
    LeafKey(
      owner: owner, entry: entry, version: version, scale: scale, generation: 0, index: index)
  }

  /// Bytes that a piece must have.
  func length(of index: UInt64, scale: UInt8) -> Int {
    let start = index << UInt64(scale)
    return start < size ? Int(min(1 << UInt64(scale), size - start)) : 0
  }

  /// Pieces that hold `length` bytes from `offset` on. Requires: within the file, not empty.
  func pieces(_ offset: UInt64, _ length: UInt64, scale: UInt8) -> ClosedRange<UInt64> {
    (offset >> UInt64(scale))...((offset + length - 1) >> UInt64(scale))
  }
}
