import CLinux
import Glibc
import Protocol
package import System

/// The folder in which one's own files lie as ordinary files, under the same names and in the same tree.
///
/// Every path is resolved beneath the folder, through no symlink and into no other file system.
/// Blocks on the disk: for the disk pool only, but at start.
package final class OwnFolder: Sendable {
  /// Name of the staging folder in the own folder; nothing of this name is shared.
  static let stagingName: [UInt8] = Array(".fsharefs-staging".utf8)

  package let path: String
  let root: OwnedDescriptor
  let staging: OwnedDescriptor

  /// Opens, and makes where it is missing, the folder and its staging folder.
  package init(path: String) throws(SystemError) {
    try File.makeDirectories(path, mode: 0o755)
    self.path = path
    root = OwnedDescriptor(
      try retryingOnInterrupt("open own folder \(path)") {
        Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
      })
    let name = Self.stagingName.cPath
    if mkdirat(root.raw, name, 0o700) != 0, errno != EEXIST {
      throw SystemError("make the staging folder in \(path)")
    }
    let root = root.raw
    staging = OwnedDescriptor(
      try retryingOnInterrupt("open the staging folder in \(path)") {
        openat(root, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
      })
  }

  /// Locks the folder against another process, for as long as the answer is kept.
  /// Throws: EWOULDBLOCK where another has it.
  package func lock() throws(SystemError) -> OwnedDescriptor {
    try File.lock(path + "/" + String(decoding: Self.stagingName, as: UTF8.self) + "/lock")
  }

  /// Opens a file. `flags` as of open(2).
  func open(_ path: SharePath, flags: Int32, mode: UInt32 = 0) throws(SystemError)
    -> OwnedDescriptor
  {
    try openBeneath(path.bytes, flags: flags, mode: mode)
  }

  /// Makes a directory; one that is there already is fine.
  func makeDirectory(_ path: SharePath, mode: UInt32) throws(SystemError) {
    try withParent(of: path) { parent, name in mkdirat(parent, name, mode_t(mode)) }
      .ignoring(EEXIST)
  }

  func removeDirectory(_ path: SharePath) throws(SystemError) {
    try withParent(of: path) { parent, name in unlinkat(parent, name, AT_REMOVEDIR) }.check()
  }

  /// Takes a file or symlink away; one that is gone already is fine.
  func unlink(_ path: SharePath) throws(SystemError) {
    try withParent(of: path) { parent, name in unlinkat(parent, name, 0) }.ignoring(ENOENT)
  }

  func makeSymlink(_ path: SharePath, target: [UInt8]) throws(SystemError) {
    let target = target.cPath
    try withParent(of: path) { parent, name in symlinkat(target, parent, name) }.check()
  }

  /// Renames within the folder. `replacing`: whether something at the new path gives way.
  func rename(_ old: SharePath, to new: SharePath, replacing: Bool) throws(SystemError) {
    let (oldParent, oldName) = try parent(of: old)
    let flags = replacing ? 0 : clinux_rename_noreplace
    try withParent(of: new) { parent, name in
      clinux_renameat2(oldParent.raw, oldName, parent, name, flags)
    }.check()
  }

  func stat(_ path: SharePath) throws(SystemError) -> Stat {
    let (parent, _) = try parent(of: path)
    return try Stat(at: parent.raw, name: path.name.bytes)
  }

  /// Has the disk keep what was made, renamed and removed in a directory (nil: the folder itself).
  func synchronise(_ directory: SharePath?) throws(SystemError) {
    let opened = try openBeneath(
      directory?.bytes ?? [UInt8(ascii: ".")], flags: O_RDONLY | O_DIRECTORY, mode: 0)
    try retryingOnInterrupt("fsync a directory") { fsync(opened.raw) }
  }

  /// Has the disk keep the place of a file: its name, and the directories above it, which may be new.
  func synchronisePlace(of path: SharePath) throws(SystemError) {
    var directory = path.parent
    while true {
      // Moved meanwhile: whoever wants that to last asks for it there.
      do throws(SystemError) { try synchronise(directory) } catch  where error.code == ENOENT {}
      guard let one = directory else { return }
      directory = one.parent
    }
  }

  /// What readlink(2) says.
  func linkTarget(_ path: SharePath) throws(SystemError) -> [UInt8] {
    var buffer = [CChar](repeating: 0, count: Limits.path + 1)
    let (parent, name) = try parent(of: path)
    let count = try retryingOnInterrupt("readlink") {
      readlinkat(parent.raw, name, &buffer, buffer.count)
    }
    return buffer[..<count].map { UInt8(bitPattern: $0) }
  }

  /// The names in a directory (nil: the folder itself), `.` and `..` left out.
  func names(in directory: SharePath?) throws(SystemError) -> [[UInt8]] {
    let opened = try openBeneath(
      directory?.bytes ?? [UInt8(ascii: ".")], flags: O_RDONLY | O_DIRECTORY, mode: 0)
    return try listNames(of: opened)
  }

  // MARK: Private parts

  private func openBeneath(_ bytes: [UInt8], flags: Int32, mode: UInt32) throws(SystemError)
    -> OwnedDescriptor
  {
    let name = bytes.cPath
    let resolve = UInt64(RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV)
    let root = root.raw
    return OwnedDescriptor(
      try retryingOnInterrupt("open \(describe(bytes))") {
        clinux_openat2(root, name, UInt64(flags | O_CLOEXEC | O_NOFOLLOW), UInt64(mode), resolve)
      })
  }

  private func parent(of path: SharePath) throws(SystemError) -> (OwnedDescriptor, [CChar]) {
    let directory = path.parent?.bytes ?? [UInt8(ascii: ".")]
    return (
      try openBeneath(directory, flags: O_PATH | O_DIRECTORY, mode: 0), path.name.bytes.cPath
    )
  }

  private func withParent(
    of path: SharePath, _ body: (Int32, [CChar]) -> Int32
  ) throws(SystemError) -> Outcome {
    let (parent, name) = try parent(of: path)
    return body(parent.raw, name) >= 0
      ? Outcome(code: 0, what: path) : Outcome(code: errno, what: path)
  }

  private func describe(_ bytes: [UInt8]) -> String {
    "\(path)/\(String(decoding: bytes, as: UTF8.self))"
  }

  /// What a call on a name came to.
  private struct Outcome {
    let code: Int32
    let what: SharePath

    func check() throws(SystemError) {
      if code != 0 {
        throw SystemError(code: code, call: String(decoding: what.bytes, as: UTF8.self))
      }
    }

    func ignoring(_ harmless: Int32) throws(SystemError) { if code != harmless { try check() } }
  }
}

/// The names in an open directory, `.` and `..` left out.
func listNames(of directory: OwnedDescriptor) throws(SystemError) -> [[UInt8]] {
  let copy = try retryingOnInterrupt("dup") { fcntl(directory.raw, F_DUPFD_CLOEXEC, 0) }
  guard let stream = fdopendir(copy) else { throw SystemError("opendir") }
  defer { closedir(stream) }
  var names: [[UInt8]] = []
  while let item = readdir(stream) {
    // SAFETY: `d_name` is a terminated string inside `item`, which lives until the next readdir.
    let name = withUnsafePointer(to: &item.pointee.d_name) {
      $0.withMemoryRebound(to: UInt8.self, capacity: Limits.name + 1) {
        Array(
          UnsafeBufferPointer(
            start: $0, count: strlen(UnsafeRawPointer($0).assumingMemoryBound(to: CChar.self))))
      }
    }
    if name != [0x2e], name != [0x2e, 0x2e] { names.append(name) }
  }
  return names
}

extension [UInt8] {
  /// As a C string. Requires: no zero byte.
  var cPath: [CChar] { map { CChar(bitPattern: $0) } + [0] }
}
