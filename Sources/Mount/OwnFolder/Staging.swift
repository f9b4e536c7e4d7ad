import CLinux
import Glibc
import Protocol
import System

/// The place of files that are being copied in: beside the own folder's files, on the same file
/// system.
///
/// A staged file has a random name. Once its writer closed it, `StagedTargets` says where it
/// belongs, so that after a crash complete ones are moved into place and incomplete ones deleted.
extension OwnFolder {
  /// Opens a staged file once more. `flags` as of open(2), O_PATH among them. Throws: as
  /// `openContent`.
  func openStaged(_ name: [UInt8], flags: Int32) throws(SystemError) -> OwnedDescriptor {
    let staging = staging.raw
    let found = OwnedDescriptor(
      try retryingOnInterrupt("open a staged file") {
        openat(staging, name.cPath, O_PATH | O_CLOEXEC | O_NOFOLLOW)
      })
    return flags & O_PATH != 0 ? found : try OwnFolder.openContent(of: found, flags: flags)
  }

  /// Notes that the staged file is complete and where it belongs.
  func markComplete(_ name: [UInt8], target: SharePath) throws(SystemError) {
    try stagedTargets.note(name, target)
  }

  /// Moves a staged file into its place. `replacing`: whether an own file there gives way.
  func moveIntoPlace(
    _ held: borrowing NamesHeld, _ name: [UInt8], at path: SharePath, replacing: Bool
  ) throws(SystemError) {
    try checkMayChange(path)
    let directory = try openParent(held, of: path)
    let flags = replacing ? 0 : clinux_rename_noreplace
    let staging = staging.raw
    try retryingOnInterrupt("move a staged file into place") {
      clinux_renameat2(staging, name.cPath, directory.raw, path.name.bytes.cPath, flags)
    }
    stagedTargets.forget(name)
  }

  /// Takes a staged file away.
  func discard(_ name: [UInt8]) {
    _ = unlinkat(staging.raw, name.cPath, 0)
    stagedTargets.forget(name)
  }

  /// Makes a directory and the ones above it, which are there only because something lies in them.
  func makeDirectories(
    _ held: borrowing NamesHeld, _ path: SharePath
  ) throws(SystemError) {
    if let parent = path.parent { try makeDirectories(held, parent) }
    _ = try makeImplied(held, path, mode: 0o755)
  }

  /// The directory that a path lies in; made, where it is not there.
  private func openParent(
    _ held: borrowing NamesHeld, of path: SharePath
  ) throws(SystemError) -> OwnedDescriptor {
    guard let parent = path.parent else { return root }
    let flags = O_PATH | O_DIRECTORY
    do throws(SystemError) {
      return try open(parent, flags: flags)
    } catch  where error.code == ENOENT {
      try makeDirectories(held, parent)
      return try open(parent, flags: flags)
    }
  }
}
