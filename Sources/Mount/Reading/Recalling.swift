import Core
import Protocol

/// Leaves that lie in the disk cache.
extension RemoteReading {
  /// Bytes in the disk cache and what it may hold, for status; nil where there is none.
  package var diskCacheFigures: (bytes: Int, limit: Int)? {
    diskCache.map { ($0.bytes, $0.limit) }
  }

  /// Looks for leaves on disk. The answers step the fetcher: at once for what is certainly not
  /// there, else on the cache's threads. No lock held.
  func recall(_ keys: [LeafKey]) {
    guard let diskCache else { preconditionFailure("nothing is recalled without a disk cache") }
    diskCache.recall(
      keys,
      found: { [self] key, leaf in step { $0.recalled(key, leaf, now: $1, into: &$2) } },
      absent: { [self] keys in step { $0.notRecalled(keys, now: $1, into: &$2) } })
  }
}
