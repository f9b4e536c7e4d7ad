import CLinux
import Glibc

/// Whole files and folders, by paths that the user or this program chose, said as `PathText` does.
/// Blocks; any thread.
package enum File {
  /// The content of a file. Throws EFBIG when it is longer than `limit` bytes.
  package static func readAll(_ path: String, limit: Int) throws(SystemError) -> [UInt8] {
    let file = OwnedDescriptor(
      try retryingOnInterrupt("open \(path)") { open(path.cPath, O_RDONLY | O_CLOEXEC) })
    return try readAll(file, path, limit: limit)
  }

  /// The content of a regular file. Throws EFBIG when it is longer than `limit` bytes, EINVAL where
  /// something else lies there: a pipe would be waited for without end.
  package static func readRegular(_ path: String, limit: Int) throws(SystemError) -> [UInt8] {
    let file = OwnedDescriptor(
      try retryingOnInterrupt("open \(path)") {
        open(path.cPath, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
      })
    guard try Stat(descriptor: file.raw).isRegular else {
      throw SystemError(code: EINVAL, call: "read \(path), which is not a file")
    }
    return try readAll(file, path, limit: limit)
  }

  /// What follows in an open file. Throws EFBIG when that is longer than `limit` bytes.
  package static func readAll(
    _ file: OwnedDescriptor, _ path: String, limit: Int
  ) throws(SystemError) -> [UInt8] {
    var content: [UInt8] = []
    // One more than may be there: what is longer shows itself.
    var piece = [UInt8](repeating: 0, count: min(limit + 1, 65536))
    while true {
      let count = try retryingOnInterrupt("read \(path)") { read(file.raw, &piece, piece.count) }
      if count == 0 { return content }
      guard content.count + count <= limit else {
        throw SystemError(code: EFBIG, call: "read \(path) (limit \(limit) bytes)")
      }
      content.append(contentsOf: piece[..<count])
    }
  }

  /// Replaces a file's content at once: readers, and a crash, see the old or the new one.
  package static func writeAtomically(
    _ path: String, _ bytes: [UInt8], mode: UInt32
  ) throws(SystemError) {
    try replace(path, bytes, mode: mode) { _ in }
  }

  /// What stands between a file's name and a random number in the name of its next content, while
  /// that is written.
  package static let stagedInfix = ".new-"

  /// Like `writeAtomically`; `placed` gets the new file, open for appending, as soon as it is in
  /// its place: the last step, after which the disk keeps the name, may still fail.
  package static func replace(
    _ path: String, _ bytes: [UInt8], mode: UInt32, placed: (OwnedDescriptor) -> Void
  ) throws(SystemError) {
    let staged = path + stagedInfix + String(SecureRandom.uint64(), radix: 16)
    let file: OwnedDescriptor
    do throws(SystemError) {
      file = try writeNew(staged, bytes, mode: mode)
      try retryingOnInterrupt("rename \(staged) to \(path)") { rename(staged.cPath, path.cPath) }
    } catch {
      _ = unlink(staged.cPath)
      throw error
    }
    placed(file)
    try syncFolder(of: path)
  }

  /// Makes a folder and the ones above it. An existing folder is fine and keeps its mode.
  package static func makeDirectories(_ path: String, mode: UInt32) throws(SystemError) {
    if let existing = try? Stat(path: path), existing.isDirectory { return }
    let parent = folder(of: path)
    if parent != path { try makeDirectories(parent, mode: mode) }
    guard mkdir(path.cPath, mode) != 0 else { return }
    let failure = SystemError("make folder \(path)")
    // Somebody else may have made it meanwhile.
    if let existing = try? Stat(path: path), existing.isDirectory { return }
    throw failure
  }

  /// Locks a file, made if missing, for as long as the answer is kept (and its process lives).
  /// Throws EWOULDBLOCK when somebody else has it.
  package static func lock(_ path: String) throws(SystemError) -> OwnedDescriptor {
    let file = OwnedDescriptor(
      try retryingOnInterrupt("open \(path)") {
        open(
          path.cPath, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, mode_t(0o600))
      })
    try retryingOnInterrupt("lock \(path)") { flock(file.raw, LOCK_EX | LOCK_NB) }
    return file
  }

  /// Writes all of `bytes` to an open descriptor.
  package static func writeAll(
    _ bytes: [UInt8], to descriptor: Int32, _ name: @autoclosure () -> String
  ) throws(SystemError) {
    var written = 0
    while written < bytes.count {
      let start = written
      // SAFETY: the pointer stays inside the closure and within the array.
      let count = try retryingOnInterrupt("write \(name())") {
        bytes.withUnsafeBytes { write(descriptor, $0.baseAddress! + start, $0.count - start) }
      }
      written += count
    }
  }

  /// The path as it is known from every working directory; links in it stay.
  package static func absolute(_ path: String) -> String {
    if path.utf8.first == UInt8(ascii: "/") { return path }
    guard let current = getcwd(nil, 0) else { return path }
    defer { free(current) }
    return String(path: current) + "/" + path
  }

  /// The absolute path without symlinks; nil, with `errno`, where nothing is there.
  package static func resolved(_ path: String) -> String? {
    guard let found = realpath(path.cPath, nil) else { return nil }
    // SAFETY: realpath gave a terminated string that is ours to free.
    defer { free(found) }
    return String(path: found)
  }

  /// The folder that a path is in: `/a` for `/a/b`, `.` for `b`.
  package static func folder(of path: String) -> String {
    String(pathBytes: folder(of: path.pathBytes))
  }

  /// The same of a path's bytes.
  package static func folder(of path: [UInt8]) -> [UInt8] {
    var bytes = path
    while bytes.count > 1, bytes.last == UInt8(ascii: "/") { bytes.removeLast() }
    guard let slash = bytes.lastIndex(of: UInt8(ascii: "/")) else { return [UInt8(ascii: ".")] }
    return slash == 0 ? [UInt8(ascii: "/")] : Array(bytes[..<slash])
  }

  /// Whether one absolute path is another or lies in it, by their bytes.
  package static func isSameOrBelow(_ path: [UInt8], _ folder: [UInt8]) -> Bool {
    let slash = UInt8(ascii: "/")
    return path == folder || path.starts(with: folder.last == slash ? folder : folder + [slash])
  }

  private static func writeNew(
    _ path: String, _ bytes: [UInt8], mode: UInt32
  ) throws(SystemError) -> OwnedDescriptor {
    let file = OwnedDescriptor(
      try retryingOnInterrupt("create \(path)") {
        open(path.cPath, O_WRONLY | O_APPEND | O_CREAT | O_EXCL | O_CLOEXEC, mode_t(mode))
      })
    try writeAll(bytes, to: file.raw, path)
    try retryingOnInterrupt("fsync \(path)") { fsync(file.raw) }
    return file
  }

  private static func syncFolder(of path: String) throws(SystemError) {
    let name = folder(of: path)
    let opened = OwnedDescriptor(
      try retryingOnInterrupt("open \(name)") {
        open(name.cPath, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
      })
    try retryingOnInterrupt("fsync \(name)") { fsync(opened.raw) }
  }
}
