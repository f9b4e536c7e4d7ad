import CFuse
import CLinux
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
  /// Who asks for it.
  let caller: Caller
  /// What everything shows in place of its own owner, group and mode.
  let shown: ShownAttributes

  init(_ raw: fuse_req_t) {
    pending = Locked(raw)
    let context = fuse_req_ctx(raw).pointee
    caller = Caller(user: context.uid, group: context.gid, mask: context.umask)
    shown = FuseDevice.of(fuse_req_userdata(raw)!).shown
  }

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

  /// Has `onFlushInterrupt` called with the token when the program is interrupted, at once where it
  /// was already; not where it is answered.
  func whenInterrupted(token: UInt64) {
    guard let raw = pending.withLock({ $0 }) else { return }
    // SAFETY: only whoever has parked it answers it, behind this. The token is carried in the
    // pointer's bits and never dereferenced.
    fuse_req_interrupt_func(raw, onFlushInterrupt, UnsafeMutableRawPointer(bitPattern: UInt(token)))
  }

  /// Success without data, or an errno.
  func reply(error: Int32 = 0) { _ = fuse_reply_err(answer(), error) }

  func reply(_ entry: EntryReply) {
    var parameters = entry.parameters(shown)
    _ = fuse_reply_entry(answer(), &parameters)
  }

  /// The kernel may remember that the name is not there: it is told when it comes.
  func replyNegative() {
    var parameters = fuse_entry_param()
    parameters.entry_timeout = EntryReply.forever
    _ = fuse_reply_entry(answer(), &parameters)
  }

  func reply(attributes node: EntryReply) {
    var stat = node.stat(shown)
    _ = fuse_reply_attr(answer(), &stat, node.attributesTimeout)
  }

  /// The same behind a SETATTR. The kernel remembers nothing of it: whoever asked takes the answer
  /// in when it is his turn, whatever was told meanwhile, and that would be forgotten by it.
  func reply(changed node: EntryReply) {
    var stat = node.stat(shown)
    _ = fuse_reply_attr(answer(), &stat, 0)
  }

  func reply(created entry: EntryReply, _ open: OpenReply) {
    var parameters = entry.parameters(shown)
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

  /// The length of an extended attribute, or of the list of them.
  func reply(extendedLength count: Int) { _ = fuse_reply_xattr(answer(), count) }

  /// An extended attribute, or the list of them, as getxattr(2) takes it: `size` is the room, 0:
  /// the length.
  func reply(extended value: [UInt8], size: Int) {
    if size == 0 { return reply(extendedLength: value.count) }
    if value.count > size { return reply(error: ERANGE) }
    value.withUnsafeBytes { reply(bytes: $0) }
  }

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
