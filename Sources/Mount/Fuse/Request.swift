import CFuse
import Glibc
import Protocol
import System

/// One request of the kernel, to be answered exactly once, from any thread.
///
/// A second answer is our bug and traps; a request that is let go without one is answered EIO,
/// so that no program ever hangs on a mistake of ours.
// SAFETY: `raw` is taken out under the lock by whoever answers, so libfuse sees one answer.
final class Request: @unchecked Sendable {
  private let pending: Locked<fuse_req_t?>

  init(_ raw: fuse_req_t) { pending = Locked(raw) }

  deinit { take().map { _ = fuse_reply_err($0, EIO) } }

  private func take() -> fuse_req_t? {
    pending.withLock { raw in
      defer { raw = nil }
      return raw
    }
  }

  private func answer() -> fuse_req_t {
    guard let raw = take() else { preconditionFailure("a request is answered once") }
    return raw
  }

  /// Success without data, or an errno.
  func reply(error: Int32 = 0) { _ = fuse_reply_err(answer(), error) }

  func reply(_ entry: EntryReply) {
    var parameters = entry.parameters
    _ = fuse_reply_entry(answer(), &parameters)
  }

  /// The kernel may remember that the name is not there: it is told when it comes.
  func replyNegative() {
    var parameters = fuse_entry_param()
    parameters.entry_timeout = EntryReply.forever
    _ = fuse_reply_entry(answer(), &parameters)
  }

  func reply(_ attributes: Attributes, number: InodeNumber) {
    var stat = attributes.stat(number: number)
    _ = fuse_reply_attr(answer(), &stat, EntryReply.forever)
  }

  func reply(created entry: EntryReply, _ open: OpenReply) {
    var parameters = entry.parameters
    var info = open.info
    _ = fuse_reply_create(answer(), &parameters, &info)
  }

  func reply(opened open: OpenReply) {
    var info = open.info
    _ = fuse_reply_open(answer(), &info)
  }

  func reply(written count: Int) { _ = fuse_reply_write(answer(), count) }

  func reply(link target: [UInt8]) {
    let text = target.map { CChar(bitPattern: $0) } + [0]
    _ = fuse_reply_readlink(answer(), text)
  }

  func reply(position: Int64) { _ = fuse_reply_lseek(answer(), off_t(position)) }

  /// Figures of the file system that holds an open descriptor.
  func reply(statisticsOf descriptor: Int32) {
    var statistics = statvfs()
    guard fstatvfs(descriptor, &statistics) == 0 else { return reply(error: errno) }
    _ = fuse_reply_statfs(answer(), &statistics)
  }

  /// Bytes of a read or a listing; copied by the kernel before this returns.
  func reply(bytes: UnsafeRawBufferPointer) {
    // SAFETY: the pointer is used only during the call.
    _ = fuse_reply_buf(
      answer(), bytes.baseAddress?.assumingMemoryBound(to: CChar.self), bytes.count)
  }

  /// Bytes of a read in several pieces; copied by the kernel before this returns.
  func reply(pieces: [iovec]) {
    pieces.withUnsafeBufferPointer { _ = fuse_reply_iov(answer(), $0.baseAddress, Int32($0.count)) }
  }
}

/// What the kernel is told of a name that it looked up.
struct EntryReply {
  /// Seconds that the kernel may keep what it is told: changes are pushed to it.
  static let forever: Double = 365 * 24 * 3600

  let number: InodeNumber
  let attributes: Attributes
  /// Whether the kernel may keep it, until it is told otherwise.
  var isRemembered = true

  var parameters: fuse_entry_param {
    var parameters = fuse_entry_param()
    parameters.ino = number
    parameters.generation = 1
    parameters.attr = attributes.stat(number: number)
    parameters.attr_timeout = Self.forever
    parameters.entry_timeout = isRemembered ? Self.forever : 0
    return parameters
  }
}

/// What the kernel is told of a file or directory that it opened.
struct OpenReply {
  let handle: UInt64
  var keepsCache = false
  var cachesListing = false

  var info: fuse_file_info {
    var info = fuse_file_info()
    info.fh = handle
    info.keep_cache = keepsCache ? 1 : 0
    info.cache_readdir = cachesListing ? 1 : 0
    return info
  }
}

extension Attributes {
  /// As the kernel wants it. Everything belongs to the user who mounted.
  func stat(number: InodeNumber) -> Glibc.stat {
    var stat = Glibc.stat()
    let format: UInt32 =
      switch kind {
      case .file: 0o100000
      case .directory: 0o040000
      case .symlink: 0o120000
      }
    stat.st_ino = UInt(number)
    stat.st_mode = format | (kind == .symlink ? 0o777 : mode)
    stat.st_nlink = kind == .directory ? 2 : 1
    stat.st_uid = getuid()
    stat.st_gid = getgid()
    stat.st_size = Int(size)
    stat.st_blksize = 131_072
    stat.st_blocks = Int(blocks)
    stat.st_mtim = timespec(nanoseconds: modified)
    stat.st_ctim = timespec(nanoseconds: changed)
    stat.st_atim = timespec(nanoseconds: accessed)
    return stat
  }
}

extension timespec {
  init(nanoseconds: Int64) {
    let second = Int64(1_000_000_000)
    let rest = ((nanoseconds % second) + second) % second
    self.init(tv_sec: Int((nanoseconds - rest) / second), tv_nsec: Int(rest))
  }

  var nanoseconds: Int64 { Int64(tv_sec) &* 1_000_000_000 &+ Int64(tv_nsec) }
}
