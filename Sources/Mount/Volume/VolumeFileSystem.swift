import Core
import Glibc
import Protocol
import System

/// Which room answers which request of the kernel.
extension Volume: FileSystem {
  func mounted(as session: SessionReference) throws(SystemError) {
    try namespace.mounted(as: session)
  }

  func willEnd() { namespace.stop() }

  // MARK: Names

  func lookup(_ request: Request, parent: InodeNumber, name: [UInt8]) {
    let answer = { @Sendable [namespace] () -> Void in
      namespace.lookup(request, parent: parent, name: name)
    }
    if !folderSync.scanFirst(parent, request, then: answer) { answer() }
  }

  func forget(_ number: InodeNumber, count: UInt64) {
    // The disk frees a file's space when it is closed.
    if let last = namespace.forget(number, count: count) {
      disk.run { withExtendedLifetime(last) {} }
    }
  }

  func makeDirectory(_ request: Request, parent: InodeNumber, name: [UInt8], mode: UInt32) {
    files.makeDirectory(request, parent: parent, name: name, mode: mode)
  }

  func makeSymlink(_ request: Request, parent: InodeNumber, name: [UInt8], target: [UInt8]) {
    files.makeSymlink(request, parent: parent, name: name, target: target)
  }

  func unlink(_ request: Request, parent: InodeNumber, name: [UInt8]) {
    files.unlink(request, parent: parent, name: name)
  }

  func removeDirectory(_ request: Request, parent: InodeNumber, name: [UInt8]) {
    files.removeDirectory(request, parent: parent, name: name)
  }

  func rename(
    _ request: Request, parent: InodeNumber, name: [UInt8], newParent: InodeNumber,
    newName: [UInt8], flags: UInt32
  ) {
    files.rename(
      request, parent: parent, name: name, newParent: newParent, newName: newName, flags: flags)
  }

  // MARK: Attributes

  func attributes(_ request: Request, _ number: InodeNumber) {
    namespace.attributes(request, number)
  }

  func setAttributes(
    _ request: Request, _ number: InodeNumber, _ wanted: AttributeChange, handle: HandleNumber?
  ) {
    files.setAttributes(request, number, wanted, handle: handle)
  }

  func linkTarget(_ request: Request, _ number: InodeNumber) {
    namespace.linkTarget(request, number)
  }

  func statistics(_ request: Request) {
    let folder = folder
    disk.answer(request) { () throws(SystemError) in request.reply(statisticsOf: folder.root.raw) }
  }

  func extendedAttribute(_ request: Request, _ number: InodeNumber, name: [UInt8], size: Int) {
    if name.starts(with: EntryProperty.prefix) {
      return property(request, number, name: name, size: size)
    }
    files.extendedAttribute(request, number, name: name, size: size)
  }

  func extendedAttributes(_ request: Request, _ number: InodeNumber, size: Int) {
    files.extendedAttributes(request, number, size: size)
  }

  func setExtendedAttribute(
    _ request: Request, _ number: InodeNumber, name: [UInt8], value: [UInt8], flags: Int32
  ) {
    files.setExtendedAttribute(request, number, name: name, value: value, flags: flags)
  }

  func removeExtendedAttribute(_ request: Request, _ number: InodeNumber, name: [UInt8]) {
    files.removeExtendedAttribute(request, number, name: name)
  }

  // MARK: Directories

  func openDirectory(_ request: Request, _ number: InodeNumber) {
    let answer = { @Sendable [namespace] () -> Void in namespace.openDirectory(request, number) }
    if !folderSync.scanFirst(number, request, then: answer) { answer() }
  }

  func list(
    _ request: Request, handle: HandleNumber, size: Int, offset: Int64, withAttributes: Bool
  ) {
    namespace.list(
      request, handle: handle, size: size, offset: offset, withAttributes: withAttributes)
  }

  func closeDirectory(_ request: Request, handle: HandleNumber) {
    namespace.closeDirectory(request, handle: handle)
  }

  func synchroniseDirectory(_ request: Request, _ number: InodeNumber) {
    files.synchroniseDirectory(request, number)
  }

  // MARK: Files

  func create(
    _ request: Request, parent: InodeNumber, name: [UInt8], mode: UInt32, flags: Int32
  ) {
    files.create(request, parent: parent, name: name, mode: mode, flags: flags)
  }

  func open(_ request: Request, _ number: InodeNumber, flags: Int32, by thread: Int32) {
    enum Found {
      case own
      case remote(HandleNumber)
      case failure(Int32)
    }
    let wantsToWrite = flags & O_ACCMODE != O_RDONLY || flags & O_TRUNC != 0
    let found = namespace.read { tree -> Found in
      guard let node = tree[number], node.kind == .file else { return .failure(ESTALE) }
      if let occupied = node.occupied { return .failure(occupied.reason.code) }
      if node.own != nil { return .own }
      // What the kernel knows under a name that means something else by now: it looks the name up
      // again, once.
      guard let entry = node.entry, let owner = node.owner,
        node.isLinked
          || reading.mayOpenStale(thread, lookedUpAt: node.lastLookup, latest: tree.lookups)
      else { return .failure(ESTALE) }
      if wantsToWrite { return .failure(EACCES) }
      guard
        files.settings.shown.mayOpen(
          request.caller, mode: node.attributes.mode,
          forExecution: flags & FuseSession.forExecution != 0)
      else { return .failure(EACCES) }
      let handle = files.handles.addRemote()
      reading.open(
        Content(owner: owner, entry: entry.id, version: entry.version, size: entry.size),
        as: handle)
      return .remote(handle)
    }
    switch found {
    case .failure(let code): request.reply(error: code)
    case .own: files.open(request, number, flags: flags)
    case .remote(let handle):
      reading.followPauses()
      // A version never changes, so what the kernel has cached of it stays true. FLUSH stays
      // wanted, though nothing is ever written: it tells of a reader that was killed in a pause.
      request.reply(opened: OpenReply(handle: handle, keepsCache: true))
      reading.fetchNext(behind: number)
    }
  }

  func newReadToken() -> UInt64 { reading.newToken() }

  func read(_ request: Request, token: UInt64, handle: HandleNumber, size: Int, offset: Int64) {
    switch files.handles[handle] {
    case .own(let own)?: files.read(request, own, size: size, offset: offset)
    case .remote(let stream)?:
      reading.read(request, token: token, of: stream, size: size, offset: offset)
    case nil: request.reply(error: EBADF)
    }
  }

  func interruptRead(_ token: UInt64) { reading.interruptRead(token) }

  func write(
    _ request: Request, handle: HandleNumber, _ bytes: UnsafeRawBufferPointer, offset: Int64
  ) {
    files.write(request, handle: handle, bytes, offset: offset)
  }

  func fallocate(
    _ request: Request, handle: HandleNumber, mode: Int32, offset: Int64, length: Int64
  ) {
    files.fallocate(request, handle: handle, mode: mode, offset: offset, length: length)
  }

  func copyRange(
    _ request: Request, from source: (handle: HandleNumber, offset: Int64),
    to target: (handle: HandleNumber, offset: Int64), length: Int
  ) {
    files.copyRange(request, from: source, to: target, length: length)
  }

  func seek(
    _ request: Request, _ number: InodeNumber, handle: HandleNumber, offset: Int64, whence: Int32
  ) {
    files.seek(request, number, handle: handle, offset: offset, whence: whence)
  }

  func synchronise(_ request: Request, handle: HandleNumber, dataOnly: Bool) {
    files.synchronise(request, handle: handle, dataOnly: dataOnly)
  }

  func flush(_ request: Request, handle: HandleNumber, closedBy thread: Int32) {
    switch files.handles[handle] {
    case .own(let own)?: files.flush(request, own, closedBy: thread)
    case .remote(let stream)?:
      reading.abandonPausedReads(of: stream)
      request.reply()
    case nil: request.reply()
    }
  }

  func interruptClose(_ token: UInt64) { files.interruptClose(token) }

  func release(_ request: Request, handle: HandleNumber) {
    request.reply()
    switch files.handles.remove(handle) {
    case .remote(let stream)?: reading.close(stream)
    case .own(let own)?: files.released(own)
    case nil: break
    }
  }
}
