/// Names one sealed leaf for good: nothing about it ever changes, so whoever has it may keep it.
package struct LeafKey: Hashable, Sendable {
  package let owner: PublicID
  package let entry: EntryID
  package let version: Version
  package let scale: UInt8
  package let generation: UInt32
  package let index: UInt64
  package init(
    owner: PublicID, entry: EntryID, version: Version, scale: UInt8, generation: UInt32,
    index: UInt64
  ) {
    self.owner = owner
    self.entry = entry
    self.version = version
    self.scale = scale
    self.generation = generation
    self.index = index
  }

  /// The same leaf, sealed under another generation of the group key; 0 names it whatever it is
  /// sealed with.
  package func sealed(_ generation: UInt32) -> LeafKey {
    LeafKey(
      owner: owner, entry: entry, version: version, scale: scale, generation: generation,
      index: index)
  }

  /// The entry that it is a leaf of.
  package var file: EntryKey { EntryKey(owner, entry) }

  /// The version that it is a leaf of.
  package var content: VersionKey { VersionKey(file, version) }

  /// Whether `other` is the next leaf of the same version.
  package func precedes(_ other: LeafKey) -> Bool {
    index &+ 1 == other.index && content == other.content && scale == other.scale
      && generation == other.generation
  }
}
