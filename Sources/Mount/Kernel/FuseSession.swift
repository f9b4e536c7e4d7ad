import CFuse
import CLinux
import Glibc
import Logging
import System

/// libfuse's session: mounts, takes the kernel's requests off `/dev/fuse` and hands them on.
// SAFETY: `session` is set once at start; libfuse's session calls used here are safe from any
// thread.
package final class FuseSession: @unchecked Sendable {
  private let fileSystem: any FileSystem
  private let device: FuseDevice
  private let mountpoint: String
  private let log: Logger
  private let session: OpaquePointer
  /// READs that the kernel may have under way in the background.
  package static let maxBackground: UInt32 = 256
  /// Bytes of a WRITE at most: as many as the kernel offers.
  static let longestWrite = 1 << 20
  /// Threads that take requests: none of them waits for the network, so few are enough.
  static let threads = 6
  /// Those of them that are never at the disk.
  static let freeThreads = 2
  /// Among the flags of an OPEN: the file is to be executed (the kernel's FMODE_EXEC).
  static let forExecution: Int32 = 0x20

  /// Mounts. Throws: EIO-like text where libfuse refuses; it has said why on stderr.
  init(
    _ fileSystem: any FileSystem, mountpoint: String, _ mount: KernelMount, log: Logger
  ) throws(SystemError) {
    self.fileSystem = fileSystem
    let device = FuseDevice(fileSystem, shown: mount.shown) { raiseReadAhead(of: mountpoint) }
    self.device = device
    self.mountpoint = mountpoint
    self.log = log
    // SAFETY: the strings live until fuse_session_new has copied them; the device is kept for as
    // long as the session, which is until the process ends.
    var arguments: [UnsafeMutablePointer<CChar>?] = ["fsharefs", "-o", mount.options].map {
      (word: String) in strdup(word.cPath)
    }
    defer { for argument in arguments { free(argument) } }
    let made = arguments.withUnsafeMutableBufferPointer { buffer -> OpaquePointer? in
      var list = fuse_args(argc: Int32(buffer.count), argv: buffer.baseAddress, allocated: 0)
      var operations = fuseOperations()
      return cfuse_session_new(
        &list, &operations, MemoryLayout<fuse_lowlevel_ops>.size,
        Unmanaged.passRetained(device).toOpaque())
    }
    guard let made else { throw SystemError(code: EINVAL, call: "make a FUSE session") }
    session = made
    guard fuse_session_mount(made, mountpoint.cPath) == 0 else {
      fuse_session_destroy(made)
      throw SystemError(code: EIO, call: "mount on \(mountpoint)")
    }
    let attached = device.attach(to: made)
    guard attached == 0 else {
      throw SystemError(code: -attached, call: "attach to the FUSE device")
    }
    try fileSystem.mounted(as: SessionReference(raw: made))
  }

  /// Serves requests until the mount ends. Blocks.
  package func serve() {
    let configuration = fuse_loop_cfg_create()
    defer { fuse_loop_cfg_destroy(configuration) }
    fuse_loop_cfg_set_max_threads(configuration, UInt32(Self.threads))
    fuse_loop_cfg_set_clone_fd(configuration, 0)
    let result = fuse_session_loop_mt(session, configuration)
    if result < 0 { log.error("the FUSE loop ended: \(SystemError.reason(-result))") }
  }

  /// How often a thread has come back for the kernel's next request, where none waits for it now;
  /// nil where one does. Some are never at the disk, so where this number stays the same for long
  /// they hang. Any thread.
  package var turnsWhereNoneIsFree: UInt64? { device.turnsWhereNoneIsFree }

  /// Ends the mount: at once, or, where programs still use it, as soon as they let go. Any thread.
  /// Returns: false where programs still use it; `serve` goes on until the last of them is done.
  package func unmount() -> Bool {
    if unmountUnused() { return true }
    log.warning("the mount is in use: it ends for each program as it lets go")
    if umount2(mountpoint.cPath, Int32(MNT_DETACH)) != 0 {
      Fusermount.unmount(mountpoint, lazily: true)
    }
    return false
  }

  /// Ends the mount where no program uses it. Any thread. Returns: false where one does.
  package func unmountUnused() -> Bool {
    // EINVAL: somebody else has unmounted it already.
    if umount2(mountpoint.cPath, 0) == 0 || errno == EINVAL { return true }
    return errno == EPERM && Fusermount.unmount(mountpoint, lazily: false)
  }

  /// Ends what talks to the kernel unasked, and the mount where it is still there. Call after
  /// `serve` has returned.
  ///
  /// The session itself stays until the process ends: requests that nobody waits for any more are
  /// still answered, by whichever thread holds them, and each answer goes through it.
  package func end() {
    fileSystem.willEnd()
    fuse_session_unmount(session)
  }
}

/// As root, lets the kernel ask for 1 MiB at a time instead of 128 KiB: twice the speed (measured
/// 1.8 against 3.9 GB/s from memory). Without root the daemon's own read-ahead must carry it. Only
/// after INIT, whose answer sets it back.
private func raiseReadAhead(of mountpoint: String) {
  guard geteuid() == 0, let device = MountTable.device(of: mountpoint) else { return }
  let path = "/sys/class/bdi/\(device)/read_ahead_kb"
  guard let file = try? retryingOnInterrupt(path, { open(path, O_WRONLY | O_CLOEXEC) }) else {
    return
  }
  let setting = OwnedDescriptor(file)
  try? withExtendedLifetime(setting) {
    try File.writeAll(Array("1024".utf8), to: setting.raw, path)
  }
}
