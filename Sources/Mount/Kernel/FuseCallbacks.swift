import CFuse
import Glibc
import Protocol
import System

/// The table of what libfuse calls. File-scope functions only: a closure literal given to C may
/// carry an isolation that traps on libfuse's threads.
func fuseOperations() -> fuse_lowlevel_ops {
  var operations = fuse_lowlevel_ops()
  operations.`init` = onInit
  operations.lookup = onLookup
  operations.forget = onForget
  operations.forget_multi = onForgetMulti
  operations.getattr = onGetattr
  operations.setattr = onSetattr
  operations.readlink = onReadlink
  operations.mknod = onMknod
  operations.mkdir = onMkdir
  operations.unlink = onUnlink
  operations.rmdir = onRmdir
  operations.symlink = onSymlink
  operations.rename = onRename
  operations.link = onLink
  operations.open = onOpen
  operations.read = onRead
  operations.write = onWrite
  operations.flush = onFlush
  operations.release = onRelease
  operations.fsync = onFsync
  operations.opendir = onOpendir
  operations.readdir = onReaddir
  operations.readdirplus = onReaddirplus
  operations.releasedir = onReleasedir
  operations.fsyncdir = onFsyncdir
  operations.statfs = onStatfs
  operations.create = onCreate
  addFileOperations(to: &operations)
  return operations
}

/// What answers a request.
func fileSystem(_ request: fuse_req_t) -> any FileSystem {
  FuseDevice.of(fuse_req_userdata(request)!).fileSystem
}

/// The bytes of a name that libfuse owns: copied, since they are its only during the call.
func bytes(_ text: UnsafePointer<CChar>?) -> [UInt8] {
  guard let text else { return [] }
  // SAFETY: libfuse gives terminated strings.
  return UnsafeRawBufferPointer(start: text, count: strlen(text)).map { $0 }
}

private func onInit(
  _ data: UnsafeMutableRawPointer?, _ connection: UnsafeMutablePointer<fuse_conn_info>?
) {
  guard let connection else { return }
  connection.pointee.max_background = FuseSession.maxBackground
  connection.pointee.congestion_threshold = FuseSession.maxBackground * 3 / 4
  connection.pointee.max_write = UInt32(FuseSession.longestWrite)
  // The own folder's file system says what of the umask counts: none of it, where a directory has a
  // default ACL.
  connection.pointee.want |= connection.pointee.capable & UInt32(FUSE_CAP_DONT_MASK)
  // A file that has grown keeps what is in the kernel: what is no longer true we say.
  let says = UInt32(FUSE_CAP_EXPLICIT_INVAL_DATA)
  if connection.pointee.capable & says != 0 {
    connection.pointee.want &= ~UInt32(FUSE_CAP_AUTO_INVAL_DATA)
    connection.pointee.want |= says
  }
}

private func onLookup(_ raw: fuse_req_t?, _ parent: fuse_ino_t, _ name: UnsafePointer<CChar>?) {
  fileSystem(raw!).lookup(Request(raw!), parent: parent, name: bytes(name))
}

private func onForget(_ raw: fuse_req_t?, _ number: fuse_ino_t, _ count: UInt64) {
  fileSystem(raw!).forget(number, count: count)
  fuse_reply_none(raw!)
}

private func onForgetMulti(
  _ raw: fuse_req_t?, _ count: Int, _ forgets: UnsafeMutablePointer<fuse_forget_data>?
) {
  // SAFETY: libfuse gives `count` items.
  let forgets = UnsafeBufferPointer(start: forgets, count: count)
  for forget in forgets { fileSystem(raw!).forget(forget.ino, count: forget.nlookup) }
  fuse_reply_none(raw!)
}

private func onGetattr(
  _ raw: fuse_req_t?, _ number: fuse_ino_t, _ info: UnsafeMutablePointer<fuse_file_info>?
) {
  fileSystem(raw!).attributes(Request(raw!), number)
}

private func onSetattr(
  _ raw: fuse_req_t?, _ number: fuse_ino_t, _ attributes: UnsafeMutablePointer<stat>?,
  _ set: Int32, _ info: UnsafeMutablePointer<fuse_file_info>?
) {
  let request = Request(raw!)
  let change = AttributeChange(attributes!.pointee, set: set, shown: request.shown)
  fileSystem(raw!).setAttributes(request, number, change, handle: info?.pointee.fh)
}

private func onReadlink(_ raw: fuse_req_t?, _ number: fuse_ino_t) {
  fileSystem(raw!).linkTarget(Request(raw!), number)
}

/// Device nodes, sockets and pipes are not shared; the kernel makes ordinary files by CREATE.
private func onMknod(
  _ raw: fuse_req_t?, _ parent: fuse_ino_t, _ name: UnsafePointer<CChar>?, _ mode: mode_t,
  _ device: dev_t
) {
  Request(raw!).reply(error: EPERM)
}

private func onMkdir(
  _ raw: fuse_req_t?, _ parent: fuse_ino_t, _ name: UnsafePointer<CChar>?, _ mode: mode_t
) {
  fileSystem(raw!).makeDirectory(Request(raw!), parent: parent, name: bytes(name), mode: mode)
}

private func onUnlink(_ raw: fuse_req_t?, _ parent: fuse_ino_t, _ name: UnsafePointer<CChar>?) {
  fileSystem(raw!).unlink(Request(raw!), parent: parent, name: bytes(name))
}

private func onRmdir(_ raw: fuse_req_t?, _ parent: fuse_ino_t, _ name: UnsafePointer<CChar>?) {
  fileSystem(raw!).removeDirectory(Request(raw!), parent: parent, name: bytes(name))
}

private func onSymlink(
  _ raw: fuse_req_t?, _ target: UnsafePointer<CChar>?, _ parent: fuse_ino_t,
  _ name: UnsafePointer<CChar>?
) {
  fileSystem(raw!).makeSymlink(
    Request(raw!), parent: parent, name: bytes(name), target: bytes(target))
}

private func onRename(
  _ raw: fuse_req_t?, _ parent: fuse_ino_t, _ name: UnsafePointer<CChar>?,
  _ newParent: fuse_ino_t, _ newName: UnsafePointer<CChar>?, _ flags: UInt32
) {
  fileSystem(raw!).rename(
    Request(raw!), parent: parent, name: bytes(name), newParent: newParent,
    newName: bytes(newName), flags: flags)
}

/// One path, one entry: hard links are not offered, with the errno that makes programs copy.
private func onLink(
  _ raw: fuse_req_t?, _ number: fuse_ino_t, _ newParent: fuse_ino_t,
  _ newName: UnsafePointer<CChar>?
) {
  Request(raw!).reply(error: EPERM)
}

private func onOpen(
  _ raw: fuse_req_t?, _ number: fuse_ino_t, _ info: UnsafeMutablePointer<fuse_file_info>?
) {
  let thread = fuse_req_ctx(raw!).pointee.pid
  fileSystem(raw!).open(Request(raw!), number, flags: info!.pointee.flags, by: thread)
}

private func onRead(
  _ raw: fuse_req_t?, _ number: fuse_ino_t, _ size: Int, _ offset: off_t,
  _ info: UnsafeMutablePointer<fuse_file_info>?
) {
  let fileSystem = fileSystem(raw!)
  let token = fileSystem.newReadToken()
  let request = Request(raw!)
  // SAFETY: the token is carried in the pointer's bits and never dereferenced.
  fuse_req_interrupt_func(raw!, onReadInterrupt, UnsafeMutableRawPointer(bitPattern: UInt(token)))
  fileSystem.read(
    request, token: token, handle: info!.pointee.fh, size: size, offset: Int64(offset))
}

private func onReadInterrupt(_ raw: fuse_req_t?, _ data: UnsafeMutableRawPointer?) {
  fileSystem(raw!).interruptRead(UInt64(UInt(bitPattern: data)))
}

private func onWrite(
  _ raw: fuse_req_t?, _ number: fuse_ino_t, _ buffer: UnsafePointer<CChar>?, _ size: Int,
  _ offset: off_t, _ info: UnsafeMutablePointer<fuse_file_info>?
) {
  // SAFETY: libfuse's buffer is there during the call, and no longer.
  let bytes = UnsafeRawBufferPointer(start: buffer, count: size)
  fileSystem(raw!).write(Request(raw!), handle: info!.pointee.fh, bytes, offset: Int64(offset))
}

private func onFlush(
  _ raw: fuse_req_t?, _ number: fuse_ino_t, _ info: UnsafeMutablePointer<fuse_file_info>?
) {
  let thread = fuse_req_ctx(raw!).pointee.pid
  fileSystem(raw!).flush(Request(raw!), handle: info!.pointee.fh, closedBy: thread)
}

/// A program that waits in `close` was interrupted; `data` is the token of its wait.
func onFlushInterrupt(_ raw: fuse_req_t?, _ data: UnsafeMutableRawPointer?) {
  fileSystem(raw!).interruptClose(UInt64(UInt(bitPattern: data)))
}

private func onRelease(
  _ raw: fuse_req_t?, _ number: fuse_ino_t, _ info: UnsafeMutablePointer<fuse_file_info>?
) {
  fileSystem(raw!).release(Request(raw!), handle: info!.pointee.fh)
}

private func onFsync(
  _ raw: fuse_req_t?, _ number: fuse_ino_t, _ dataOnly: Int32,
  _ info: UnsafeMutablePointer<fuse_file_info>?
) {
  fileSystem(raw!).synchronise(Request(raw!), handle: info!.pointee.fh, dataOnly: dataOnly != 0)
}

private func onOpendir(
  _ raw: fuse_req_t?, _ number: fuse_ino_t, _ info: UnsafeMutablePointer<fuse_file_info>?
) {
  fileSystem(raw!).openDirectory(Request(raw!), number)
}

private func onReaddir(
  _ raw: fuse_req_t?, _ number: fuse_ino_t, _ size: Int, _ offset: off_t,
  _ info: UnsafeMutablePointer<fuse_file_info>?
) {
  fileSystem(raw!).list(
    Request(raw!), handle: info!.pointee.fh, size: size, offset: Int64(offset),
    withAttributes: false)
}

private func onReaddirplus(
  _ raw: fuse_req_t?, _ number: fuse_ino_t, _ size: Int, _ offset: off_t,
  _ info: UnsafeMutablePointer<fuse_file_info>?
) {
  fileSystem(raw!).list(
    Request(raw!), handle: info!.pointee.fh, size: size, offset: Int64(offset),
    withAttributes: true)
}

private func onReleasedir(
  _ raw: fuse_req_t?, _ number: fuse_ino_t, _ info: UnsafeMutablePointer<fuse_file_info>?
) {
  fileSystem(raw!).closeDirectory(Request(raw!), handle: info!.pointee.fh)
}

private func onFsyncdir(
  _ raw: fuse_req_t?, _ number: fuse_ino_t, _ dataOnly: Int32,
  _ info: UnsafeMutablePointer<fuse_file_info>?
) {
  fileSystem(raw!).synchroniseDirectory(Request(raw!), number)
}

private func onStatfs(_ raw: fuse_req_t?, _ number: fuse_ino_t) {
  fileSystem(raw!).statistics(Request(raw!))
}

private func onCreate(
  _ raw: fuse_req_t?, _ parent: fuse_ino_t, _ name: UnsafePointer<CChar>?, _ mode: mode_t,
  _ info: UnsafeMutablePointer<fuse_file_info>?
) {
  fileSystem(raw!).create(
    Request(raw!), parent: parent, name: bytes(name), mode: mode, flags: info!.pointee.flags)
}
