/// REQUEST_CHUNK (asker to hub) and UPLOAD_CHUNK_REQUEST (hub to owner): a run of leaves of one
/// version.
package struct ChunkRequest: Equatable, Sendable {
  package let owner: PublicID
  package let entry: EntryID
  package let version: Version
  /// `log2` of the bytes of a piece: `Limits.leafScale`, or less for a random reader.
  package let scale: UInt8
  /// Of the group key that the leaves are sealed with.
  package let generation: UInt32
  package let first: UInt64
  package let count: UInt32
  /// Whether leaves at hand in the hub are passed over: the asker could not open them.
  package let pastCache: Bool
  package init(
    owner: PublicID, entry: EntryID, version: Version, scale: UInt8, generation: UInt32,
    first: UInt64, count: UInt32, pastCache: Bool
  ) {
    self.owner = owner
    self.entry = entry
    self.version = version
    self.scale = scale
    self.generation = generation
    self.first = first
    self.count = count
    self.pastCache = pastCache
  }

  /// The key of the leaf `offset` leaves behind the first.
  package func key(_ offset: UInt32) -> LeafKey {
    LeafKey(
      owner: owner, entry: entry, version: version, scale: scale, generation: generation,
      index: first + UInt64(offset))
  }
}

/// Why a chunk does not come. The raw values are the wire's.
package enum ChunkFailureReason: UInt8, Sendable {
  /// The owner's connection is lost; it may come back.
  case away = 1
  /// The owner left, or no longer shares the entry.
  case gone = 2
  /// The owner's file is no longer the version that was asked for.
  case changed = 3
  /// The asker or the owner is not approved, or the request makes no sense.
  case denied = 4
  /// Too much at once: ask again after the time given.
  case busy = 5
  /// The owner could not read its own file.
  case unreadable = 6
  /// The group key has another generation by now: ask for that.
  case stale = 7
  /// On the direct plane only: others read it too, and the hub is asked, which serves all of them
  /// from one upload.
  case shared = 8
}

/// CHUNK_FAILED: a run of leaves that does not come, and why.
package struct ChunkFailure: Equatable, Sendable {
  package let owner: PublicID
  package let entry: EntryID
  package let version: Version
  package let scale: UInt8
  package let generation: UInt32
  package let first: UInt64
  package let count: UInt32
  package let reason: ChunkFailureReason
  /// Milliseconds to wait before asking again; 0 where asking again is no use.
  package let retryAfter: UInt32

  package init(
    _ request: ChunkRequest, reason: ChunkFailureReason, retryAfter: UInt32 = 0
  ) {
    owner = request.owner
    entry = request.entry
    version = request.version
    scale = request.scale
    generation = request.generation
    first = request.first
    count = request.count
    self.reason = reason
    self.retryAfter = retryAfter
  }

  package init(_ key: LeafKey, reason: ChunkFailureReason, retryAfter: UInt32 = 0) {
    self.init(ChunkRequest(key), reason: reason, retryAfter: retryAfter)
  }

  /// The key of the leaf `offset` leaves behind the first.
  package func key(_ offset: UInt32) -> LeafKey {
    LeafKey(
      owner: owner, entry: entry, version: version, scale: scale, generation: generation,
      index: first + UInt64(offset))
  }
}

extension ChunkRequest {
  /// Whether a program waits for it now, rather than that it is read in bulk: it goes before what
  /// is.
  package var isUrgent: Bool { count == 1 || scale < Limits.leafScale }

  /// A request for one leaf.
  package init(_ key: LeafKey, count: UInt32 = 1, pastCache: Bool = false) {
    self.init(
      owner: key.owner, entry: key.entry, version: key.version, scale: key.scale,
      generation: key.generation, first: key.index, count: count, pastCache: pastCache)
  }
}
