import CLinux
import Glibc
import Protocol
import System

/// From a node to its file on the disk. Disk pool only, namespace lock held: nothing is renamed meanwhile.
extension Volume {
  /// An own node, in the tree or not any more; nil for others' and for what the kernel has forgotten.
  func ownPlace(_ number: InodeNumber) -> OwnPlace? {
    tree.withLock { tree in tree[number].flatMap { ownState($0, tree) } }
  }

  /// A descriptor of an own file, directory or symlink: good for `fstat` and for what goes by `procPath`, whatever
  /// its permissions are.
  func reach(_ own: OwnPlace) throws(SystemError) -> OwnedDescriptor {
    if !own.isLinked { return try openedFile(own) }
    if let staged = own.staged { return try folder.openStaged(staged, flags: O_PATH) }
    return try folder.open(own.path, flags: O_PATH)
  }

  /// Opens an own file once more. `flags` as of open(2).
  func reopen(_ own: OwnPlace, flags: Int32) throws(SystemError) -> OwnedDescriptor {
    if !own.isLinked {
      let path = try openedFile(own).procPath
      return OwnedDescriptor(
        try retryingOnInterrupt("open a removed file") { Glibc.open(path, flags | O_CLOEXEC) })
    }
    if let staged = own.staged { return try folder.openStaged(staged, flags: flags) }
    let file = try folder.open(own.path, flags: flags | O_NONBLOCK)
    // Put there by hand, past the mount; a pipe would have us wait for its other end.
    guard try Stat(descriptor: file.raw).isRegular else {
      throw SystemError(code: ESTALE, call: "open what is no file any more")
    }
    return file
  }

  /// What somebody has open of a file that has no name any more. Its path may be another file's by now.
  private func openedFile(_ own: OwnPlace) throws(SystemError) -> OwnedDescriptor {
    guard let handle = handles.withLock({ $0.own(own.number).first }) else {
      throw SystemError(code: ESTALE, call: "a removed file")
    }
    return handle.file
  }
}

extension OwnedDescriptor {
  /// A path by which calls reach the descriptor's file that take no descriptor opened with O_PATH.
  var procPath: String { "/proc/self/fd/\(raw)" }
}
