import Protocol

/// How much of the list there may be, in all and of each member: settings of the master.
///
/// What one member shares costs everybody memory: an entry, its path, and every directory above it
/// that nobody had before.
package struct ListLimits: Sendable {
  /// Entries of all.
  package var entries = 2_000_000
  /// Entries of one member.
  package var memberEntries = 1_000_000
  /// Bytes of one member's paths, with those of the directories that they imply.
  package var memberPathBytes = 256 << 20
  /// Parts of a path.
  package var depth = 256

  package init() {}

  /// Why a path cannot be taken, whoever has it; nil if it can.
  func rejection(of path: SharePath) -> Rejection? { path.depth >= depth ? .tooDeep : nil }
}
