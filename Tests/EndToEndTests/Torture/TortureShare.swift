import CLinux
import Glibc
import System

/// A mount as a program sees it that must never write past it: while nothing is mounted there,
/// everything fails.
struct TortureShare {
  private let root: OwnedDescriptor

  /// Opens what is mounted on a path. Throws ENOTCONN where nothing is.
  init(mount: String) throws(SystemError) {
    root = OwnedDescriptor(
      try retryingOnInterrupt("open \(mount)") {
        Glibc.open(mount, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
      })
    var system = statfs()
    let raw = root.raw
    try retryingOnInterrupt("fstatfs \(mount)") { fstatfs(raw, &system) }
    guard UInt32(truncatingIfNeeded: system.f_type) == Self.fuse else {
      throw SystemError(code: ENOTCONN, call: "find \(mount)")
    }
  }

  /// FUSE_SUPER_MAGIC.
  private static let fuse: UInt32 = 0x6573_5546

  /// Makes a file and closes it: what `close` says is the group's word. `spoilt` is called before a
  /// file is closed that could not be written whole: for the group that is a file like any other.
  func create(
    _ path: String, _ bytes: [UInt8], spoilt: () -> Void
  ) throws(SystemError) {
    let file = try open(path, O_WRONLY | O_CREAT | O_EXCL)
    do throws(SystemError) { try File.writeAll(bytes, to: file, path) } catch {
      spoilt()
      _ = close(file)
      throw error
    }
    if close(file) != 0 { throw SystemError("close \(path)") }
  }

  func read(_ path: String) throws(SystemError) -> [UInt8] {
    let file = OwnedDescriptor(try open(path, O_RDONLY))
    var bytes: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 1 << 17)
    while true {
      let count = try retryingOnInterrupt("read \(path)") {
        Glibc.read(file.raw, &piece, piece.count)
      }
      if count == 0 { return bytes }
      bytes += piece[..<count]
    }
  }

  func rename(_ old: String, _ new: String) throws(SystemError) {
    try retryingOnInterrupt("rename \(old)") { renameat(root.raw, old, root.raw, new) }
  }

  func remove(_ path: String) throws(SystemError) {
    try retryingOnInterrupt("unlink \(path)") { unlinkat(root.raw, path, 0) }
  }

  func makeFolder(_ path: String) throws(SystemError) {
    try retryingOnInterrupt("mkdir \(path)") { mkdirat(root.raw, path, 0o755) }
  }

  /// The names in a folder.
  func names(in path: String) throws(SystemError) -> [String] {
    let folder = OwnedDescriptor(try open(path, O_RDONLY | O_DIRECTORY))
    return try Tree.names(in: Array("/proc/self/fd/\(folder.raw)".utf8)).map {
      String(decoding: $0, as: UTF8.self)
    }
  }

  private func open(_ path: String, _ flags: Int32) throws(SystemError) -> Int32 {
    try retryingOnInterrupt("open \(path)") {
      openat(root.raw, path, flags | O_CLOEXEC | O_NOFOLLOW, mode_t(0o644))
    }
  }
}
