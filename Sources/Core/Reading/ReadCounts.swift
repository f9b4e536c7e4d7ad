/// What was read of others' files since the process began, as far as the kernel did not know it.
package struct ReadCounts: Equatable, Sendable {
  /// READs, and the bytes that they asked for.
  package internal(set) var reads: UInt64 = 0
  package internal(set) var bytes: UInt64 = 0
  /// Leaves that were in memory when a READ came, and such as it had to wait for.
  package internal(set) var hits: UInt64 = 0
  package internal(set) var misses: UInt64 = 0
  /// Bytes of leaves that came, and of that by lines to their owners.
  package internal(set) var received: UInt64 = 0
  package internal(set) var direct: UInt64 = 0
  /// Bytes of leaves that lay in the disk cache.
  package internal(set) var recalled: UInt64 = 0

  /// Nothing was read yet.
  package init() {}
}
