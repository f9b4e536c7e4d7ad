import CFuse
import CLinux
import Glibc
import Synchronization

/// libfuse's way to the kernel, with what its INIT cannot say yet. libfuse 3.14 knows nothing of
/// `FUSE_HANDLE_KILLPRIV_V2`; without it the kernel asks for `security.capability` before each
/// write.
// SAFETY: `isOffered` and `isAgreed` are written while INIT is answered, before the kernel asks for
// anything else.
final class FuseDevice: @unchecked Sendable {
  let fileSystem: any FileSystem
  /// What everything shows in place of its own owner, group and mode.
  let shown: ShownAttributes
  private let whenAgreed: @Sendable () -> Void
  private var isOffered = false
  private var isAgreed = false
  /// Threads that wait for the kernel's next request, and how often one began to.
  private let idle = Atomic<Int>(0)
  private let turns = Atomic<UInt64>(0)

  /// `whenAgreed` is called once, on a FUSE thread: the kernel has taken the answer to INIT.
  init(
    _ fileSystem: any FileSystem, shown: ShownAttributes,
    whenAgreed: @escaping @Sendable () -> Void
  ) {
    self.fileSystem = fileSystem
    self.shown = shown
    self.whenAgreed = whenAgreed
  }

  /// Takes over from libfuse. `session`: mounted already, with this object as its data.
  /// Returns: 0, or libfuse's negative errno.
  func attach(to session: OpaquePointer) -> Int32 {
    var functions = fuse_custom_io()
    functions.read = onDeviceRead
    functions.writev = onDeviceWrite
    return fuse_session_custom_io(session, &functions, fuse_session_fd(session))
  }

  /// How often a thread has come back for the next request; nil while one waits for it, so that
  /// all is well.
  var turnsWhereNoneIsFree: UInt64? {
    idle.load(ordering: .relaxed) > 0 ? nil : turns.load(ordering: .relaxed)
  }

  static func of(_ data: UnsafeMutableRawPointer) -> FuseDevice {
    // SAFETY: the session was made with its device as its data, and keeps it.
    Unmanaged<FuseDevice>.fromOpaque(data).takeUnretainedValue()
  }

  fileprivate func read(_ file: Int32, _ buffer: UnsafeMutableRawPointer, _ size: Int) -> Int {
    idle.add(1, ordering: .relaxed)
    turns.add(1, ordering: .relaxed)
    let count = Glibc.read(file, buffer, size)
    idle.subtract(1, ordering: .relaxed)
    if !isAgreed { look(at: UnsafeRawBufferPointer(start: buffer, count: max(0, count))) }
    return count
  }

  /// What the kernel offers in INIT.
  private func look(at request: UnsafeRawBufferPointer) {
    let header = MemoryLayout<fuse_in_header>.size
    guard request.count >= header + MemoryLayout<fuse_init_in>.size,
      request.loadUnaligned(as: fuse_in_header.self).opcode == FUSE_INIT.rawValue
    else { return }
    let offer = request.loadUnaligned(fromByteOffset: header, as: fuse_init_in.self)
    isOffered = offer.flags & UInt32(FUSE_HANDLE_KILLPRIV_V2) != 0
  }

  fileprivate func write(_ file: Int32, _ pieces: UnsafeMutablePointer<iovec>, _ count: Int32)
    -> Int
  {
    if isAgreed { return writev(file, pieces, count) }
    agree(UnsafeMutableBufferPointer(start: pieces, count: Int(count)))
    defer { whenAgreed() }
    return writev(file, pieces, count)
  }

  /// The first answer of all is the one to INIT.
  private func agree(_ pieces: UnsafeMutableBufferPointer<iovec>) {
    isAgreed = true
    let flags = MemoryLayout<fuse_init_out>.offset(of: \.flags)!
    guard isOffered, pieces.count == 2, pieces[1].iov_len >= flags + MemoryLayout<UInt32>.size
    else {
      return
    }
    // SAFETY: the answer is libfuse's own, alive and writable until this call returns.
    let word = (pieces[1].iov_base + flags).assumingMemoryBound(to: UInt32.self)
    word.pointee |= UInt32(FUSE_HANDLE_KILLPRIV_V2)
  }
}

private func onDeviceRead(
  _ file: Int32, _ buffer: UnsafeMutableRawPointer?, _ size: Int, _ data: UnsafeMutableRawPointer?
) -> Int {
  FuseDevice.of(data!).read(file, buffer!, size)
}

private func onDeviceWrite(
  _ file: Int32, _ pieces: UnsafeMutablePointer<iovec>?, _ count: Int32,
  _ data: UnsafeMutableRawPointer?
) -> Int {
  FuseDevice.of(data!).write(file, pieces!, count)
}
