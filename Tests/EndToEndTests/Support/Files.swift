import CLinux
import Glibc
import System

/// System calls on files, as a program makes them; an error is a `SystemError` that names the call.
enum Files {
  /// Writes a whole file as `cp` does: create, write, close; the error of `close` is thrown too.
  static func write(_ path: String, _ bytes: [UInt8], flags: Int32 = O_CREAT | O_TRUNC)
    throws(SystemError)
  {
    let file = try open(path, O_WRONLY | flags)
    do throws(SystemError) {
      try File.writeAll(bytes, to: file, path)
    } catch {
      _ = Glibc.close(file)
      throw error
    }
    try close(file, path)
  }

  static func write(_ path: String, _ text: String, flags: Int32 = O_CREAT | O_TRUNC)
    throws(SystemError)
  {
    try write(path, Array(text.utf8), flags: flags)
  }

  /// The whole content.
  static func read(_ path: String) throws(SystemError) -> [UInt8] {
    try File.readAll(path, limit: 1 << 30)
  }

  /// The whole content, as text.
  static func text(_ path: String) throws(SystemError) -> String {
    String(decoding: try read(path), as: UTF8.self)
  }

  /// `count` bytes from an offset; fewer at the file's end.
  static func read(_ path: String, at offset: Int, count: Int) throws(SystemError) -> [UInt8] {
    let file = OwnedDescriptor(try open(path, O_RDONLY))
    var bytes = [UInt8](repeating: 0, count: count)
    let got = try retryingOnInterrupt("pread \(path)") {
      pread(file.raw, &bytes, count, off_t(offset))
    }
    return Array(bytes[..<got])
  }

  /// Opens; the caller closes.
  static func open(_ path: String, _ flags: Int32, mode: UInt32 = 0o644) throws(SystemError)
    -> Int32
  {
    try retryingOnInterrupt("open \(path)") { Glibc.open(path, flags | O_CLOEXEC, mode_t(mode)) }
  }

  /// Closes, and says what `close` said.
  static func close(_ descriptor: Int32, _ name: String) throws(SystemError) {
    guard Glibc.close(descriptor) == 0 else { throw SystemError("close \(name)") }
  }

  static func rename(_ old: String, _ new: String) throws(SystemError) {
    try retryingOnInterrupt("rename \(old)") { Glibc.rename(old, new) }
  }

  static func unlink(_ path: String) throws(SystemError) {
    try retryingOnInterrupt("unlink \(path)") { Glibc.unlink(path) }
  }

  static func makeFolder(_ path: String) throws(SystemError) {
    try retryingOnInterrupt("mkdir \(path)") { mkdir(path, 0o755) }
  }

  static func removeFolder(_ path: String) throws(SystemError) {
    try retryingOnInterrupt("rmdir \(path)") { rmdir(path) }
  }

  static func chmod(_ path: String, _ mode: UInt32) throws(SystemError) {
    try retryingOnInterrupt("chmod \(path)") { Glibc.chmod(path, mode_t(mode)) }
  }

  static func symlink(_ path: String, to target: String) throws(SystemError) {
    try retryingOnInterrupt("symlink \(path)") { Glibc.symlink(target, path) }
  }

  /// Sets the time of the last change, seconds and nanoseconds since 1970.
  static func setModified(_ path: String, _ seconds: Int, _ nanoseconds: Int) throws(SystemError) {
    let time = timespec(tv_sec: seconds, tv_nsec: nanoseconds)
    let times = [time, time]
    try retryingOnInterrupt("utimensat \(path)") { utimensat(AT_FDCWD, path, times, 0) }
  }

  static func truncate(_ path: String, _ size: Int) throws(SystemError) {
    try retryingOnInterrupt("truncate \(path)") { Glibc.truncate(path, off_t(size)) }
  }

  /// Whether something is there, a dangling link included.
  static func exists(_ path: String) -> Bool {
    (try? Stat(at: AT_FDCWD, name: Array(path.utf8))) != nil
  }

  /// The names in a folder, `.` and `..` not among them, sorted.
  static func names(in folder: String) throws(SystemError) -> [[UInt8]] {
    try Tree.names(in: Array(folder.utf8))
  }

  /// The same, as text.
  static func list(_ folder: String) throws(SystemError) -> [String] {
    try names(in: folder).map { String(decoding: $0, as: UTF8.self) }
  }

  /// Removes a folder and all below it; stays on its file system.
  static func removeTree(_ path: String) throws(SystemError) { try Tree.remove(Array(path.utf8)) }

  /// The `errno` that `body` fails with; 0 when it does not fail.
  static func errorOf(_ body: () throws -> Void) -> Int32 {
    do {
      try body()
      return 0
    } catch {
      return (error as? SystemError)?.code ?? -1
    }
  }
}
