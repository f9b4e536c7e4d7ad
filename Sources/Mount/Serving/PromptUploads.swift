import CLinux
import Core
import Glibc
import Protocol
import Sealing
import System

/// A piece that a program waits for now is served on the thread that hears of it, where that takes
/// no disk: handing it to the pool and back costs more than reading and sealing it.
extension Serving {
  /// Serves a request for one piece of a file that is open and in memory. Returns: false, with
  /// nothing done, for any other: the pool serves it.
  func servePromptly(_ upload: Upload) -> Bool {
    let request = upload.run
    guard request.isUrgent, request.count == 1,
      state.withLock({ !$0.queues.isFull(upload.way) }),
      let source = sources.withLock({
        $0.use(request.entry, request.version, now: MonotonicClock.now)
      })
    else { return false }
    let key = request.key(0)
    let end = source.end(of: key)
    guard end > 0, isAsAnnounced(source, upTo: end),
      let leaf = try? sealed(
        key, of: source, by: upload.way, read: { try readNow(source.file, $0, at: $1) }),
      isStillAnnounced(source, upTo: end, noting: leaf.mark)
    else {
      sources.withLock { $0.drop(source.entry) }
      return false
    }
    send(leaf.frame, key, of: source, upload.way)
    return true
  }

  /// Keeps a file that was just served open for the next request, for a while; where to ask for its
  /// attributes cannot hang, since the link's thread does so.
  func keepOpen(_ source: UploadSource) {
    guard clinux_is_on_local_disk(source.file.raw) != 0 else { return }
    sources.withLock { $0.keep(source, now: MonotonicClock.now) }
  }

  /// The mark goes first: whoever finds out what was sent must know of it by then.
  private func isStillAnnounced(
    _ source: UploadSource, upTo end: UInt64, noting mark: LeafMark
  ) -> Bool {
    files.noteSent(mark)
    return isAsAnnounced(source, upTo: end)
  }

  private func isAsAnnounced(_ source: UploadSource, upTo end: UInt64) -> Bool {
    // What is being written right now is left to the pool, which may have to say why it does not
    // come.
    let isSettled = namespace.read { $0.node(of: source.entry)?.own?.history.isSettled ?? false }
    guard isSettled, case .asAnnounced = standing(of: source, upTo: end) else { return false }
    return true
  }
}

/// Fills the buffer from an open file with what is in memory. Throws EAGAIN where the disk would be
/// needed.
private func readNow(
  _ file: OwnedDescriptor, _ buffer: UnsafeMutableRawBufferPointer, at offset: Int64
) throws(SystemError) -> Int {
  // SAFETY: the buffer is written to during the call only.
  try retryingOnInterrupt("read") {
    clinux_read_in_memory(file.raw, buffer.baseAddress, buffer.count, off_t(offset))
  }
}
