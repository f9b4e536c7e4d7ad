import CLinux
import Glibc
import Protocol
import State
import System

/// Names one thing that is shared in place, while the process lives.
typealias InPlaceShareID = UInt64

/// A file or folder that is shared where it lies, outside the own folder. Nothing is ever changed
/// there.
struct InPlaceShare: Sendable {
  /// Where its bytes are found while it is there.
  struct Root: Sendable {
    /// The folder itself; for a file the folder that holds it.
    let directory: OwnedDescriptor
    /// The file's name in `directory`; nil for a folder.
    let file: [UInt8]?
  }

  let id: InPlaceShareID
  /// Where it is listed.
  var name: SharePath
  /// Absolute, without a symlink in it.
  let path: [UInt8]
  /// nil while there is nothing at `path`.
  var root: Root?

  /// The path as `PathText` says it, for lines and reports.
  var shownPath: String { String(pathBytes: path) }
}

/// What lies where: the table by which paths of the share are resolved. What no place has, the own
/// folder has.
struct InPlaceShares: Sendable {
  private(set) var all: [InPlaceShare] = []
  private var last: InPlaceShareID = 0

  subscript(id: InPlaceShareID) -> InPlaceShare? { all.first { $0.id == id } }

  /// The place that a path is in. Complexity: O(places).
  func inPlaceShare(holding path: SharePath) -> InPlaceShare? {
    all.first { path == $0.name || path.isBelow($0.name) }
  }

  /// The place that is listed at just this path.
  func inPlaceShare(at path: SharePath) -> InPlaceShare? { all.first { $0.name == path } }

  /// Adds one. Returns: its id.
  mutating func add(_ path: [UInt8], as name: SharePath, root: InPlaceShare.Root?) -> InPlaceShareID
  {
    last += 1
    all.append(InPlaceShare(id: last, name: name, path: path, root: root))
    return last
  }

  mutating func remove(_ id: InPlaceShareID) { all.removeAll { $0.id == id } }

  mutating func setRoot(_ id: InPlaceShareID, _ root: InPlaceShare.Root?) {
    if let index = all.firstIndex(where: { $0.id == id }) { all[index].root = root }
  }

  /// A path was renamed: what is listed there or below it is listed elsewhere now. Returns: whether
  /// anything is.
  mutating func move(from old: SharePath, to new: SharePath) -> Bool {
    var hasMoved = false
    for index in all.indices where all[index].name == old || all[index].name.isBelow(old) {
      guard let name = all[index].name.moved(from: old, to: new) else { continue }
      all[index].name = name
      hasMoved = true
    }
    return hasMoved
  }
}

/// The file that keeps the table.
extension InPlaceShares {
  /// What the file holds.
  var file: SharesFile {
    SharesFile(rows: all.map { SharesFile.Row(name: $0.name, path: $0.path) })
  }

  /// The table that a file holds.
  init(_ file: SharesFile) {
    for row in file.rows {
      _ = add(row.path, as: row.name, root: nil)
    }
  }
}

extension InPlaceShare {
  /// What lies at an absolute path now. Throws: ENOENT, EACCES, ELOOP for a symlink on the way,
  /// EINVAL for what is neither file nor folder. Blocks on the disk.
  static func open(_ path: [UInt8]) throws(SystemError) -> (root: Root, stat: Stat) {
    let (parent, name) = try openParent(of: path)
    let stat = try Stat(at: parent.raw, name: name)
    if stat.isDirectory {
      return (Root(directory: try openFolder(path, O_RDONLY), file: nil), stat)
    }
    if stat.isSymlink { throw SystemError(code: ELOOP, call: String(pathBytes: path)) }
    guard stat.isRegular else {
      throw SystemError(code: EINVAL, call: String(pathBytes: path))
    }
    // Whether it can be read is found out now, not when somebody wants it.
    let file = try retryingOnInterrupt(String(pathBytes: path)) {
      openat(parent.raw, name.cPath, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
    }
    close(file)
    return (Root(directory: parent, file: name), stat)
  }

  /// The folder that holds what lies at an absolute path, and the name in it.
  static func openParent(
    of path: [UInt8]
  ) throws(SystemError) -> (file: OwnedDescriptor, name: [UInt8]) {
    (
      try openFolder(File.folder(of: path), O_PATH),
      Array(path.split(separator: UInt8(ascii: "/")).last ?? [])
    )
  }

  private static func openFolder(
    _ path: [UInt8], _ flags: Int32
  ) throws(SystemError) -> OwnedDescriptor {
    OwnedDescriptor(
      try retryingOnInterrupt(String(pathBytes: path)) {
        clinux_openat2(
          AT_FDCWD, path.cPath, UInt64(flags | O_DIRECTORY | O_CLOEXEC), 0,
          UInt64(RESOLVE_NO_SYMLINKS))
      })
  }
}
