import CLinux
import Glibc
import Protocol
import System

/// What a name on disk is to the share.
extension FolderSync {
  /// A name on disk that can be shared.
  struct DiskEntry {
    let path: SharePath
    let stat: Stat
    let kind: EntryKind
    /// Where a symlink points.
    let target: [UInt8]
    var record: FileRecord { FileRecord(stat) }
  }

  /// What a look found.
  enum Sorted {
    case shareable(DiskEntry)
    case occupied(Occupied)
  }

  /// Sorts what lies at a name of an open directory. `path`: where it is listed, nil where that
  /// would be too long. `mayBeMount`: whether it may be the root of a file system, as only what is
  /// shared in place may. Throws: what keeps from knowing; then it is to be looked at again.
  func sort(
    _ path: SharePath?, _ name: [UInt8], _ stat: Stat, in directory: OwnedDescriptor,
    mayBeMount: Bool = false
  ) throws(SystemError) -> Sorted {
    if stat.isPipe { return .occupied(Occupied(.pipe, stat)) }
    if stat.isSocket { return .occupied(Occupied(.socket, stat)) }
    if !mayBeMount, try isMountRoot(name, in: directory) {
      return .occupied(Occupied(.otherFileSystem, stat))
    }
    if stat.isSymlink {
      let target = try readLink(name.cPath, in: directory)
      guard let path else { return .occupied(Occupied(.pathTooLong, stat, target: target)) }
      if !SymlinkTarget.isContained(target, depth: path.depth) {
        return .occupied(Occupied(.linkLeadsOut, stat, target: target))
      }
      return .shareable(DiskEntry(path: path, stat: stat, kind: .symlink, target: target))
    }
    guard stat.isDirectory || stat.isRegular else { return .occupied(Occupied(.device, stat)) }
    guard let path else { return .occupied(Occupied(.pathTooLong, stat)) }
    if stat.isRegular, stat.size > Limits.fileSize { return .occupied(Occupied(.tooLarge, stat)) }
    if let code = directory.obstacle(at: name, isDirectory: stat.isDirectory) {
      return .occupied(Occupied(.unreadable(code), stat))
    }
    return .shareable(
      DiskEntry(path: path, stat: stat, kind: stat.isDirectory ? .directory : .file, target: []))
  }

  /// Bind mounts have the device of what they show, so that is no way to tell.
  private func isMountRoot(
    _ name: [UInt8], in directory: OwnedDescriptor
  ) throws(SystemError) -> Bool {
    try retryingOnInterrupt("statx") { clinux_is_mount_root(directory.raw, name.cPath) } == 1
  }
}
