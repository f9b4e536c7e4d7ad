import CLinux
import Glibc

/// Whole files and folders, by paths that the user or this program chose. Blocks; any thread.
package enum File {
  /// The content of a file. Throws EFBIG when it is longer than `limit` bytes.
  package static func readAll(_ path: String, limit: Int) throws(SystemError) -> [UInt8] {
    let file = OwnedDescriptor(
      try retryingOnInterrupt("open \(path)") { open(path, O_RDONLY | O_CLOEXEC) })
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
    let staged = path + ".new-" + String(SecureRandom.uint64(), radix: 16)
    do throws(SystemError) {
      try writeNew(staged, bytes, mode: mode)
      try retryingOnInterrupt("rename \(staged) to \(path)") { rename(staged, path) }
    } catch {
      _ = unlink(staged)
      throw error
    }
    try syncFolder(of: path)
  }

  /// Makes a folder and the ones above it. An existing folder is fine and keeps its mode.
  package static func makeDirectories(_ path: String, mode: UInt32) throws(SystemError) {
    if let existing = try? Stat(path: path), existing.isDirectory { return }
    let parent = folder(of: path)
    if parent != path { try makeDirectories(parent, mode: mode) }
    guard mkdir(path, mode) != 0 else { return }
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
        open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, mode_t(0o600))
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

  /// The absolute path without symlinks; nil, with `errno`, where nothing is there.
  package static func resolved(_ path: String) -> String? {
    guard let found = realpath(path, nil) else { return nil }
    // SAFETY: realpath gave a terminated string that is ours to free.
    defer { free(found) }
    return String(cString: found)
  }

  /// The folder that a path is in: `/a` for `/a/b`, `.` for `b`.
  package static func folder(of path: String) -> String {
    var bytes = Array(path.utf8)
    while bytes.count > 1, bytes.last == UInt8(ascii: "/") { bytes.removeLast() }
    guard let slash = bytes.lastIndex(of: UInt8(ascii: "/")) else {
      return bytes == Array(".".utf8) ? path : "."
    }
    return slash == 0 ? "/" : String(decoding: bytes[..<slash], as: UTF8.self)
  }

  private static func writeNew(
    _ path: String, _ bytes: [UInt8], mode: UInt32
  ) throws(SystemError) {
    let file = OwnedDescriptor(
      try retryingOnInterrupt("create \(path)") {
        open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode_t(mode))
      })
    try writeAll(bytes, to: file.raw, path)
    try retryingOnInterrupt("fsync \(path)") { fsync(file.raw) }
  }

  private static func syncFolder(of path: String) throws(SystemError) {
    let name = folder(of: path)
    let opened = OwnedDescriptor(
      try retryingOnInterrupt("open \(name)") { open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC) })
    try retryingOnInterrupt("fsync \(name)") { fsync(opened.raw) }
  }
}
