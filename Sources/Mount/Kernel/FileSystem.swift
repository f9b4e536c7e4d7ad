import Protocol
import System

/// What answers the kernel's requests. Each function answers its request once, now or later, and is
/// called on a FUSE thread; none waits for the network.
///
/// This folder is all that knows libfuse, and it knows nothing of what is behind this protocol.
protocol FileSystem: AnyObject, Sendable {
  /// It is mounted: the kernel may be told of changes from now on, until `willEnd`.
  func mounted(as session: SessionReference) throws(SystemError)
  /// The kernel is told nothing any more.
  func willEnd()

  // Names.
  func lookup(_ request: Request, parent: InodeNumber, name: [UInt8])
  func forget(_ number: InodeNumber, count: UInt64)
  func makeDirectory(_ request: Request, parent: InodeNumber, name: [UInt8], mode: UInt32)
  func makeSymlink(_ request: Request, parent: InodeNumber, name: [UInt8], target: [UInt8])
  func unlink(_ request: Request, parent: InodeNumber, name: [UInt8])
  func removeDirectory(_ request: Request, parent: InodeNumber, name: [UInt8])
  func rename(
    _ request: Request, parent: InodeNumber, name: [UInt8], newParent: InodeNumber,
    newName: [UInt8], flags: UInt32)

  // Attributes.
  func attributes(_ request: Request, _ number: InodeNumber)
  func setAttributes(
    _ request: Request, _ number: InodeNumber, _ wanted: AttributeChange, handle: HandleNumber?)
  func linkTarget(_ request: Request, _ number: InodeNumber)
  func statistics(_ request: Request)
  /// GETXATTR. `size`: bytes that the program takes, 0: only the length is asked for.
  func extendedAttribute(_ request: Request, _ number: InodeNumber, name: [UInt8], size: Int)
  func extendedAttributes(_ request: Request, _ number: InodeNumber, size: Int)
  /// SETXATTR. `flags` as of setxattr(2).
  func setExtendedAttribute(
    _ request: Request, _ number: InodeNumber, name: [UInt8], value: [UInt8], flags: Int32)
  func removeExtendedAttribute(_ request: Request, _ number: InodeNumber, name: [UInt8])

  // Directories.
  func openDirectory(_ request: Request, _ number: InodeNumber)
  /// READDIR, and READDIRPLUS (`withAttributes`).
  func list(
    _ request: Request, handle: HandleNumber, size: Int, offset: Int64, withAttributes: Bool)
  func closeDirectory(_ request: Request, handle: HandleNumber)
  func synchroniseDirectory(_ request: Request, _ number: InodeNumber)

  // Files.
  func create(_ request: Request, parent: InodeNumber, name: [UInt8], mode: UInt32, flags: Int32)
  /// OPEN. `thread`: the kernel's id of who opens it.
  func open(_ request: Request, _ number: InodeNumber, flags: Int32, by thread: Int32)
  /// A token by which a READ that is not known yet can be interrupted.
  func newReadToken() -> UInt64
  func read(_ request: Request, token: UInt64, handle: HandleNumber, size: Int, offset: Int64)
  func interruptRead(_ token: UInt64)
  /// `bytes`: there until this returns.
  func write(
    _ request: Request, handle: HandleNumber, _ bytes: UnsafeRawBufferPointer, offset: Int64)
  func fallocate(
    _ request: Request, handle: HandleNumber, mode: Int32, offset: Int64, length: Int64)
  func copyRange(
    _ request: Request, from source: (handle: HandleNumber, offset: Int64),
    to target: (handle: HandleNumber, offset: Int64), length: Int)
  func seek(
    _ request: Request, _ number: InodeNumber, handle: HandleNumber, offset: Int64, whence: Int32)
  func synchronise(_ request: Request, handle: HandleNumber, dataOnly: Bool)
  /// FLUSH. `thread`: the kernel's id of who closes it.
  func flush(_ request: Request, handle: HandleNumber, closedBy thread: Int32)
  func interruptClose(_ token: UInt64)
  func release(_ request: Request, handle: HandleNumber)
}
