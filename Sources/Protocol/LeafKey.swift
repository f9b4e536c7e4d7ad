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

  package func hash(into hasher: inout Hasher) {
    // Versions are random, so the version and the place in it are enough to tell leaves apart.
    hasher.combine(version.low)
    hasher.combine(index)
  }

  /// Whether `other` is the next leaf of the same version.
  package func precedes(_ other: LeafKey) -> Bool {
    index &+ 1 == other.index && version == other.version && entry == other.entry
      && scale == other.scale && generation == other.generation && owner == other.owner
  }
}
