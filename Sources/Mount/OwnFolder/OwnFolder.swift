import CLinux
import Glibc
import Protocol
import State
package import System

/// The folder in which one's own files lie as ordinary files, under the same names and in the same
/// tree; and what is shared in place, which is found by the same paths and never changed.
///
/// Every path is resolved beneath the folder that has it, through no symlink and into no other file
/// system. Blocks on the disk: for the disk pool only, but at start.
package final class OwnFolder: Sendable {
  /// Name of the staging folder in the own folder; nothing of this name is shared.
  static let stagingName: [UInt8] = Array(".fsharefs-staging".utf8)

  package let path: String
  let root: OwnedDescriptor
  let staging: OwnedDescriptor
  /// Changed with the name lock held.
  let places: Locked<InPlaceShares>
  /// The file that keeps the table of places.
  let placesFile: String
  /// Where staged files belong that are complete.
  let stagedTargets: StagedTargets

  /// Opens, and makes where it is missing, the folder and its staging folder. `placesFile`: where
  /// it is kept what is shared in place; nothing of it is opened yet. Throws: `SystemError`, and
  /// `StateFault` of that file.
  package init(path: String, placesFile: String) throws {
    try File.makeDirectories(path, mode: 0o755)
    self.path = path
    self.placesFile = placesFile
    places = Locked(try Self.loadPlaces(placesFile))
    root = OwnedDescriptor(
      try retryingOnInterrupt("open own folder \(path)") {
        Glibc.open(path.cPath, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
      })
    let folder = root
    staging = try Self.openStaging(folder, path)
    stagedTargets = StagedTargets(
      path: "\(Self.stagingPath(path))/\(StateKind.targets.rawValue)")
  }

  private static func stagingPath(_ path: String) -> String {
    "\(path)/\(String(decoding: stagingName, as: UTF8.self))"
  }

  /// The staging folder's path.
  var stagingPath: String { Self.stagingPath(path) }

  /// Opens the staging folder, which is made where it is missing. What lies in its way, and is no
  /// folder, is kept under another name.
  private static func openStaging(
    _ root: OwnedDescriptor, _ path: String
  ) throws(SystemError) -> OwnedDescriptor {
    let name = stagingName.cPath
    func open() throws(SystemError) -> OwnedDescriptor {
      if mkdirat(root.raw, name, 0o700) != 0, errno != EEXIST {
        throw SystemError("make the staging folder in \(path)")
      }
      return OwnedDescriptor(
        try retryingOnInterrupt("open the staging folder in \(path)") {
          openat(root.raw, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        })
    }
    do throws(SystemError) {
      let staging = try open()
      // Where others may write to the own folder, one of them may have made it: he would choose
      // what is shared.
      if try Stat(descriptor: staging.raw).uid == Caller.process.user { return staging }
    } catch  where [ENOTDIR, ELOOP].contains(error.code) {}
    try moveAside(stagingName, in: root)
    return try open()
  }

  /// Gives a name that this program needs to itself: what lies there is kept as `NAME.RANDOM`.
  private static func moveAside(
    _ name: [UInt8], in directory: OwnedDescriptor
  ) throws(SystemError) {
    let other = name + Array(".\(String(SecureRandom.uint64(), radix: 16))".utf8)
    try retryingOnInterrupt("move what lies in the way of \(String(decoding: name, as: UTF8.self))")
    {
      clinux_renameat2(
        directory.raw, name.cPath, directory.raw, other.cPath, clinux_rename_noreplace)
    }
  }

  /// Locks the folder against another process, for as long as the answer is kept.
  /// Throws: EWOULDBLOCK where another has it.
  package func lock() throws(SystemError) -> OwnedDescriptor {
    let file = stagingPath + "/lock"
    do throws(SystemError) {
      return try File.lock(file)
    } catch  where [EISDIR, ELOOP, ENXIO].contains(error.code) {
      // A folder, a link or a socket: no lock of ours.
      try Self.moveAside(Array("lock".utf8), in: staging)
      return try File.lock(file)
    }
  }

  /// Opens a file. `flags` as of open(2). Throws: EACCES where it would be changed in place.
  func open(_ path: SharePath, flags: Int32, mode: UInt32 = 0) throws(SystemError)
    -> OwnedDescriptor
  {
    try checkMayOpen(path, flags: flags)
    return try openBeneath(try resolve(path), flags: flags, mode: mode)
  }

  /// Opens the content of a file; never anything else, which might block, or do what opening does
  /// to a device. Throws: ESTALE where it is no file, EAGAIN where another program has to give up a
  /// lease first.
  func openContent(_ path: SharePath, flags: Int32) throws(SystemError) -> OwnedDescriptor {
    try checkMayOpen(path, flags: flags)
    return try OwnFolder.openContent(
      of: openBeneath(try resolve(path), flags: O_PATH, mode: 0), flags: flags)
  }

  /// The same of what is open with O_PATH.
  static func openContent(
    of found: OwnedDescriptor, flags: Int32
  ) throws(SystemError) -> OwnedDescriptor {
    guard try Stat(descriptor: found.raw).isRegular else {
      throw SystemError(code: ESTALE, call: "open what is no file any more")
    }
    let path = found.procPath
    return OwnedDescriptor(
      try retryingOnInterrupt("open a file") { Glibc.open(path, flags | O_NONBLOCK | O_CLOEXEC) })
  }

  /// Opens a directory for listing (nil: the folder itself).
  func openDirectory(_ path: SharePath?) throws(SystemError) -> OwnedDescriptor {
    try openBeneath(try resolve(path), flags: O_RDONLY | O_DIRECTORY, mode: 0)
  }

  func removeDirectory(_ held: borrowing NamesHeld, _ path: SharePath) throws(SystemError) {
    try changing(path) { parent, name in unlinkat(parent, name, AT_REMOVEDIR) }.check()
  }

  /// Takes a file or symlink away; one that is gone already is fine. A file that is shared in place
  /// is only listed no longer.
  func unlink(_ held: borrowing NamesHeld, _ path: SharePath) throws(SystemError) {
    if let place = inPlaceShare(at: path), place.root?.file != nil {
      return try changePlaces(held) { $0.remove(place.id) }
    }
    try changing(path) { parent, name in unlinkat(parent, name, 0) }.ignoring(ENOENT)
  }

  /// Renames within the folder. `replacing`: whether something at the new path gives way. What is
  /// shared in place is only listed elsewhere.
  func rename(_ held: borrowing NamesHeld, _ old: SharePath, to new: SharePath, replacing: Bool)
    throws(SystemError)
  {
    if inPlaceShare(at: old) != nil {
      return try relist(held, old, to: new, replacing: replacing)
    }
    try checkMayChange(old)
    let (oldParent, oldName) = try parent(of: old)
    let flags = replacing ? 0 : clinux_rename_noreplace
    try changing(new) { parent, name in
      clinux_renameat2(oldParent.raw, oldName, parent, name, flags)
    }.check()
    try movedPlaces(held, below: old, to: new)
  }

  func stat(_ path: SharePath) throws(SystemError) -> Stat {
    let (parent, name) = try parent(of: path)
    return try Stat(at: parent.raw, name: name.bytes)
  }

  /// What lies at a name of a directory (nil: the folder itself).
  func stat(_ name: Name, in directory: SharePath?) throws(SystemError) -> Stat {
    let opened = try openBeneath(resolve(directory), flags: O_PATH | O_DIRECTORY, mode: 0)
    return try Stat(at: opened.raw, name: name.bytes)
  }

  /// Takes a name of a directory away, whatever lies there; one that is gone already is fine.
  /// `flags` as of unlinkat(2).
  func remove(_ held: borrowing NamesHeld, _ name: Name, in directory: SharePath?, flags: Int32)
    throws(SystemError)
  {
    if let directory { try checkMayChange(directory) }
    let opened = try openBeneath(resolve(directory), flags: O_PATH | O_DIRECTORY, mode: 0)
    if unlinkat(opened.raw, name.bytes.cPath, flags) != 0, errno != ENOENT {
      throw SystemError("remove what is not shared")
    }
  }

  /// A descriptor of what lies at a name of a directory, whatever it is: good for `fstat` and what
  /// goes by its path in /proc. Nothing is opened.
  func reach(_ name: Name, in directory: SharePath?) throws(SystemError) -> OwnedDescriptor {
    if let directory { try checkMayChange(directory) }
    let opened = try openBeneath(resolve(directory), flags: O_PATH | O_DIRECTORY, mode: 0)
    return OwnedDescriptor(
      try retryingOnInterrupt("reach what is not shared") {
        openat(opened.raw, name.bytes.cPath, O_PATH | O_NOFOLLOW | O_CLOEXEC)
      })
  }

  /// Has the disk keep what was made, renamed and removed in a directory (nil: the folder itself).
  func synchronise(_ directory: SharePath?) throws(SystemError) {
    let opened = try openDirectory(directory)
    try retryingOnInterrupt("fsync a directory") { fsync(opened.raw) }
  }

  /// Has the disk keep the place of a file: its name, and the directories above it, which may be
  /// new.
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
    let (parent, name) = try parent(of: path)
    return try readLink(name, in: parent)
  }
}

// MARK: - Resolving

extension OwnFolder {
  /// Where a path lies on disk: beneath an open directory, `.` being that directory itself.
  struct Resolved {
    let base: OwnedDescriptor
    let relative: [UInt8]
  }

  /// Where a path (nil: the own folder) lies. Throws: ENOENT where its place is not there.
  func resolve(_ path: SharePath?) throws(SystemError) -> Resolved {
    guard let path else { return Resolved(base: root, relative: [UInt8(ascii: ".")]) }
    guard let place = inPlaceShare(holding: path) else {
      return Resolved(base: root, relative: path.bytes)
    }
    guard let found = place.root else { throw SystemError(code: ENOENT, call: place.shownPath) }
    let rest = Array(path.bytes.dropFirst(place.name.bytes.count + 1))
    if let file = found.file {
      if !rest.isEmpty { throw SystemError(code: ENOTDIR, call: place.shownPath) }
      return Resolved(base: found.directory, relative: file)
    }
    return Resolved(base: found.directory, relative: rest.isEmpty ? [UInt8(ascii: ".")] : rest)
  }

  /// Throws EPERM for what is shared in place: that is changed where it lies.
  func checkMayChange(_ path: SharePath) throws(SystemError) {
    if inPlaceShare(holding: path) != nil {
      throw SystemError(code: EPERM, call: "change what is shared in place")
    }
  }

  /// Throws EACCES where these flags of open(2) would change what is shared in place.
  func checkMayOpen(_ path: SharePath, flags: Int32) throws(SystemError) {
    let changes = flags & O_ACCMODE != O_RDONLY || flags & O_TRUNC != 0
    if changes, inPlaceShare(holding: path) != nil {
      throw SystemError(code: EACCES, call: "write what is shared in place")
    }
  }

  private func openBeneath(
    _ spot: Resolved, flags: Int32, mode: UInt32
  ) throws(SystemError) -> OwnedDescriptor {
    let name = spot.relative.cPath
    let resolve = UInt64(RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV)
    return OwnedDescriptor(
      try retryingOnInterrupt("open \(describe(spot.relative))") {
        clinux_openat2(
          spot.base.raw, name, UInt64(flags | O_CLOEXEC | O_NOFOLLOW), UInt64(mode), resolve)
      })
  }

  /// When what lies at a path was made; nil where the file system does not know, or nothing lies
  /// there.
  func birth(of path: SharePath) -> FileTime? {
    guard let (directory, name) = try? parent(of: path) else { return nil }
    var (seconds, nanoseconds): (Int64, UInt32) = (0, 0)
    guard clinux_birth(directory.raw, name, &seconds, &nanoseconds) == 1 else { return nil }
    return FileTime(seconds: seconds, nanoseconds: nanoseconds)
  }

  /// The directory that holds a path, open, and the name in it.
  func parent(of path: SharePath) throws(SystemError) -> (OwnedDescriptor, [CChar]) {
    let spot = try resolve(path)
    guard let slash = spot.relative.lastIndex(of: UInt8(ascii: "/")) else {
      return (spot.base, spot.relative.cPath)
    }
    let above = Resolved(base: spot.base, relative: Array(spot.relative[..<slash]))
    return (
      try openBeneath(above, flags: O_PATH | O_DIRECTORY, mode: 0),
      Array(spot.relative[(slash + 1)...]).cPath
    )
  }

  private func changing(
    _ path: SharePath, _ body: (Int32, [CChar]) -> Int32
  ) throws(SystemError) -> Outcome {
    try checkMayChange(path)
    let (parent, name) = try parent(of: path)
    return body(parent.raw, name) >= 0
      ? Outcome(code: 0, what: path) : Outcome(code: errno, what: path)
  }

  private func describe(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

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

/// What readlink(2) says of a name in an open directory.
func readLink(_ name: [CChar], in directory: OwnedDescriptor) throws(SystemError) -> [UInt8] {
  var buffer = [CChar](repeating: 0, count: Limits.path + 1)
  let count = try retryingOnInterrupt("readlink") {
    readlinkat(directory.raw, name, &buffer, buffer.count)
  }
  return buffer[..<count].map { UInt8(bitPattern: $0) }
}

extension [CChar] {
  /// The bytes of a C string.
  fileprivate var bytes: [UInt8] { dropLast().map { UInt8(bitPattern: $0) } }
}
