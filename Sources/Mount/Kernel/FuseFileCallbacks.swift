import CFuse
import Glibc
import Protocol
import System

/// The rest of the table of what libfuse calls: what few file systems have. File-scope functions
/// only, as in `fuseOperations`.
func addFileOperations(to operations: inout fuse_lowlevel_ops) {
  operations.fallocate = onFallocate
  operations.lseek = onLseek
  operations.copy_file_range = onCopyFileRange
  operations.getxattr = onGetxattr
  operations.listxattr = onListxattr
  operations.setxattr = onSetxattr
  operations.removexattr = onRemovexattr
}

private func onFallocate(
  _ raw: fuse_req_t?, _ number: fuse_ino_t, _ mode: Int32, _ offset: off_t, _ length: off_t,
  _ info: UnsafeMutablePointer<fuse_file_info>?
) {
  fileSystem(raw!).fallocate(
    Request(raw!), handle: info!.pointee.fh, mode: mode, offset: Int64(offset),
    length: Int64(length))
}

private func onLseek(
  _ raw: fuse_req_t?, _ number: fuse_ino_t, _ offset: off_t, _ whence: Int32,
  _ info: UnsafeMutablePointer<fuse_file_info>?
) {
  fileSystem(raw!).seek(
    Request(raw!), number, handle: info!.pointee.fh, offset: Int64(offset), whence: whence)
}

private func onCopyFileRange(
  _ raw: fuse_req_t?, _ source: fuse_ino_t, _ from: off_t,
  _ sourceInfo: UnsafeMutablePointer<fuse_file_info>?, _ target: fuse_ino_t, _ to: off_t,
  _ targetInfo: UnsafeMutablePointer<fuse_file_info>?, _ length: Int, _ flags: Int32
) {
  fileSystem(raw!).copyRange(
    Request(raw!), from: (sourceInfo!.pointee.fh, Int64(from)),
    to: (targetInfo!.pointee.fh, Int64(to)), length: length)
}

private func onGetxattr(
  _ raw: fuse_req_t?, _ number: fuse_ino_t, _ name: UnsafePointer<CChar>?, _ size: Int
) {
  fileSystem(raw!).extendedAttribute(Request(raw!), number, name: bytes(name), size: size)
}

private func onListxattr(_ raw: fuse_req_t?, _ number: fuse_ino_t, _ size: Int) {
  fileSystem(raw!).extendedAttributes(Request(raw!), number, size: size)
}

private func onSetxattr(
  _ raw: fuse_req_t?, _ number: fuse_ino_t, _ name: UnsafePointer<CChar>?,
  _ value: UnsafePointer<CChar>?, _ size: Int, _ flags: Int32
) {
  // SAFETY: libfuse's buffer is its own only during the call, so the bytes are copied.
  let value = [UInt8](UnsafeRawBufferPointer(start: value, count: size))
  fileSystem(raw!).setExtendedAttribute(
    Request(raw!), number, name: bytes(name), value: value, flags: flags)
}

private func onRemovexattr(
  _ raw: fuse_req_t?, _ number: fuse_ino_t, _ name: UnsafePointer<CChar>?
) {
  fileSystem(raw!).removeExtendedAttribute(Request(raw!), number, name: bytes(name))
}
