import CLinux
import Glibc
import Protocol
import System

/// From a node to its file on the disk. Disk pool only, with the name lock held or a place that is
/// shared in place: nothing is renamed meanwhile.
extension OwnFiles {
  /// An own node, in the tree or not any more; nil for others' and for what the kernel has
  /// forgotten.
  func ownPlace(_ number: InodeNumber) -> OwnPlace? {
    namespace.read { tree in tree[number].flatMap { OwnPlace($0, tree) } }
  }

  /// An own node that is shared in place. Its names are not ours to change, so it is reached
  /// without the lock of names, which others would wait for while its disk does not answer.
  func placedElsewhere(_ number: InodeNumber) -> OwnPlace? {
    guard let own = ownPlace(number), own.isLinked, folder.inPlaceShare(holding: own.path) != nil
    else {
      return nil
    }
    return own
  }

  /// A descriptor of an own file, directory or symlink: good for `fstat` and for what goes by
  /// `procPath`, whatever its permissions are.
  func reach(_ own: OwnPlace) throws(SystemError) -> OwnedDescriptor {
    if !own.isLinked { return try openedFile(own) }
    if let staged = own.staged { return try folder.openStaged(staged, flags: O_PATH) }
    return try folder.open(own.path, flags: O_PATH)
  }

  /// Opens an own file once more. `flags` as of open(2).
  func reopen(_ own: OwnPlace, flags: Int32) throws(SystemError) -> OwnedDescriptor {
    if !own.isLinked {
      if flags & O_ACCMODE != O_RDONLY { try checkMayChange(own) }
      let path = try openedFile(own).procPath
      return OwnedDescriptor(
        try retryingOnInterrupt("open a removed file") {
          Glibc.open(path, flags | O_NONBLOCK | O_CLOEXEC)
        })
    }
    if let staged = own.staged { return try folder.openStaged(staged, flags: flags) }
    return try folder.openContent(own.path, flags: flags)
  }

  /// Throws EPERM for what is shared in place, also once it is listed no longer.
  func checkMayChange(_ own: OwnPlace) throws(SystemError) {
    if own.isLinked { return try folder.checkMayChange(own.path) }
    if handles.own(own.number).contains(where: \.isInPlace) {
      throw SystemError(code: EPERM, call: "change what was shared in place")
    }
  }

  /// What is left of a file that has no name any more. Its path may be another file's by now.
  private func openedFile(_ own: OwnPlace) throws(SystemError) -> OwnedDescriptor {
    if let remains = namespace.read({ $0[own.number]?.own?.remains }) { return remains }
    guard let handle = handles.own(own.number).first else {
      throw SystemError(code: ESTALE, call: "a removed file")
    }
    return handle.file
  }

  /// What will be left of a file that is about to lose its name; nil for other kinds, for what is
  /// shared in place, and where there are no descriptors left: whoever finds it at that moment
  /// looks again then.
  func remains(of own: OwnPlace) -> OwnedDescriptor? {
    own.kind == .file && folder.inPlaceShare(holding: own.path) == nil ? try? reach(own) : nil
  }
}

extension OwnedDescriptor {
  /// A path by which calls reach the descriptor's file that take no descriptor opened with O_PATH.
  var procPath: String { "/proc/self/fd/\(raw)" }
}
