import Protocol
import System

/// What tells one content of a file from another without reading it.
struct FileRecord: Equatable, Sendable {
  var device: UInt64
  var inode: UInt64
  var size: Int64
  var modified: FileTime
  var changed: FileTime

  /// Whether it differs from what was known in nothing but the time of change.
  func isOnlyTouched(since known: FileRecord?) -> Bool {
    guard var same = known, same != self else { return false }
    same.changed = changed
    return same == self
  }

  /// Whether both are of one file, whatever its content.
  func isSameFile(_ other: FileRecord) -> Bool { device == other.device && inode == other.inode }
}

extension FileRecord {
  init(_ stat: Stat) {
    self.init(
      device: stat.dev, inode: stat.ino, size: stat.size, modified: stat.modified,
      changed: stat.changed)
  }
}
