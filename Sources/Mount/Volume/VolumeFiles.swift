import CFuse
import CLinux
import Core
import Glibc
import Protocol
import System

/// Open files: making, opening, reading, writing, closing.
extension Volume {
  /// CREATE: a new file is staged until its writer closes it; an own one that is there is opened.
  func create(
    _ request: Request, parent: InodeNumber, name: [UInt8], mode: UInt32, flags: Int32
  ) {
    changeNames(request) { [self] () throws(SystemError) in
      if let found = try existing(parent, name) {
        if flags & O_EXCL != 0 { throw SystemError(code: EEXIST, call: "create") }
        guard let own = found else { throw SystemError(code: EACCES, call: "others' file") }
        let (reply, entry) = try openOwn(own, flags: flags)
        changeTree { tree in tree[own.number].map { tree.remember($0) } }
        return request.reply(created: entry, reply)
      }
      let place = try freePlace(parent, name)
      let (staged, file) = try folder.stage(mode: mode & 0o7777)
      let stat = try Stat(descriptor: file.raw)
      let entry = Entry(
        id: newID(), path: place.path, kind: .file, version: newID(), size: 0,
        modified: stat.mtimeNs, mode: UInt16(stat.permissions))
      let reply = changeTree { tree in
        let node = tree.putOwn(
          entry, owner: ownID.withLock { $0 }, node: nil, attributes: Attributes(stat),
          now: WallClock.nanoseconds)
        node.own?.staged = staged
        tree.remember(node)
        return EntryReply(number: node.number, attributes: node.attributes)
      }
      let own = OwnHandle(number: reply.number, file: file, isWritable: true)
      let handle = handles.withLock { $0.add(.own(own)) }
      request.reply(created: reply, OpenReply(handle: handle, keepsCache: true))
    }
  }

  func open(_ request: Request, _ number: InodeNumber, flags: Int32) {
    enum Found {
      case own(OwnPlace)
      case remote(UInt64)
      case failure(Int32)
    }
    let wantsToWrite = flags & O_ACCMODE != O_RDONLY || flags & O_TRUNC != 0
    let found = tree.withLock { tree -> Found in
      guard let node = tree[number], node.kind == .file else { return .failure(ESTALE) }
      if let own = ownState(node, tree) { return .own(own) }
      // What the kernel knows under a name that means something else by now: it looks the name up again.
      guard node.isLinked, let entry = node.entry, let owner = node.owner else {
        return .failure(ESTALE)
      }
      if wantsToWrite { return .failure(EACCES) }
      let handle = handles.withLock { handles in
        let handle = handles.reserve()
        handles.add(.remote(handle), as: handle)
        return handle
      }
      // Under the tree's lock: what the file becomes next is told to whoever has it open by then.
      fetcher.withLock {
        $0.open(
          handle,
          Content(owner: owner, entry: entry.id, version: entry.version, size: entry.size))
      }
      return .remote(handle)
    }
    switch found {
    case .failure(let code): request.reply(error: code)
    case .remote(let handle):
      followPauses()
      // A version never changes, so what the kernel has cached of it stays true.
      // FLUSH stays wanted, though nothing is ever written: it tells of a reader that was killed in a pause.
      request.reply(opened: OpenReply(handle: handle, keepsCache: true))
      fetchNext(behind: number)
    case .own(let own):
      onDisk(request) { [self] () throws(SystemError) in
        let (reply, _) = try openOwn(own, flags: flags)
        request.reply(opened: reply)
      }
    }
  }

  func write(_ request: Request, handle: UInt64, _ bytes: [UInt8], offset: Int64) {
    guard case .own(let own)? = handles.withLock({ $0[handle] }), own.isWritable else {
      return request.reply(error: EBADF)
    }
    onDisk(request) { [self] () throws(SystemError) in
      let written = try changeContent(own.number, own.file, from: UInt64(offset)) {
        () throws(SystemError) in
        try write(bytes, to: own, at: offset)
      }
      request.reply(written: written)
    }
  }

  /// Returns: how many of the bytes were written.
  private func write(
    _ bytes: [UInt8], to own: OwnHandle, at offset: Int64
  ) throws(SystemError) -> Int {
    var written = 0
    while written < bytes.count {
      let start = written
      let count = pwrite(own.file, bytes, from: start, at: offset + Int64(start))
      if count < 0 {
        // What was written before the disk was full counts, as of write(2).
        if written > 0 { break }
        throw SystemError("write")
      }
      written += count
    }
    let end = UInt64(offset) + UInt64(written)
    let now = WallClock.nanoseconds
    tree.withLock { tree in
      guard let node = tree[own.number] else { return }
      node.attributes.size = max(node.attributes.size, end)
      node.attributes.blocks = max(node.attributes.blocks, (node.attributes.size + 511) / 512)
      node.attributes.modified = now
      node.attributes.changed = now
    }
    return written
  }

  /// FSYNC: from now on the file lies in the own folder, and only its content can still change.
  func synchronise(_ request: Request, handle: UInt64, dataOnly: Bool) {
    guard case .own(let own)? = handles.withLock({ $0[handle] }) else {
      return request.reply()
    }
    changeNames(request) { [self] () throws(SystemError) in
      try retryingOnInterrupt("fsync") { dataOnly ? fdatasync(own.file.raw) : fsync(own.file.raw) }
      try placeStaged(own.number)
      if tree.withLock({ $0[own.number]?.own?.isDirty ?? false }) {
        announce(own.number, file: own.file)
      }
      request.reply()
    }
  }

  func release(_ request: Request, handle: UInt64) {
    request.reply()
    switch handles.withLock({ $0.remove(handle) }) {
    case .remote(let stream): fetcher.withLock { $0.close(stream) }
    case .own(let own) where own.isWritable:
      let isUntold = tree.withLock { tree in
        guard let node = tree[own.number], let state = node.own, node.isLinked else { return false }
        return !state.isAbandoned && (!state.isAnnounced || state.isDirty)
      }
      if isUntold { announceWithoutWaiting(own) }
    default: break
    }
  }

  func fallocate(
    _ request: Request, handle: UInt64, mode: Int32, offset: Int64, length: Int64
  ) {
    guard case .own(let own)? = handles.withLock({ $0[handle] }), own.isWritable else {
      return request.reply(error: EBADF)
    }
    onDisk(request) { [self] () throws(SystemError) in
      // Room that is only made changes nothing that is there.
      let isOnlyRoom = mode & ~FALLOC_FL_KEEP_SIZE == 0
      let size = tree.withLock { $0[own.number]?.attributes.size ?? 0 }
      try changeContent(own.number, own.file, from: isOnlyRoom ? size : UInt64(offset)) {
        () throws(SystemError) in
        try retryingOnInterrupt("fallocate") {
          Glibc.fallocate(own.file.raw, mode, off_t(offset), off_t(length))
        }
        _ = noteChange(own.number, try Stat(descriptor: own.file.raw), isContent: false)
      }
      request.reply()
    }
  }

  func seek(_ request: Request, handle: UInt64, offset: Int64, whence: Int32) {
    switch handles.withLock({ $0[handle] }) {
    case .own(let own):
      onDisk(request) { () throws(SystemError) in
        let position = try retryingOnInterrupt("lseek") {
          lseek(own.file.raw, off_t(offset), whence)
        }
        request.reply(position: Int64(position))
      }
    default:
      // Others' files have no holes that anybody knows of: the kernel falls back to the size.
      request.reply(error: ENOSYS)
    }
  }

  /// What is at a name: nil, one's own, or (the inner nil) somebody else's.
  private func existing(
    _ parent: InodeNumber, _ name: [UInt8]
  ) throws(SystemError) -> OwnPlace?? {
    let path = try place(parent, name).path
    return tree.withLock { tree in
      tree[parent]?.children[path.name].map { ownState($0.node, tree) }
    }
  }

  private func openOwn(
    _ own: OwnPlace, flags: Int32
  ) throws(SystemError) -> (OpenReply, EntryReply) {
    if own.kind != .file { throw SystemError(code: EISDIR, call: "open") }
    try folder.checkMayOpen(own.path, flags: flags)
    var access = flags & O_ACCMODE
    // The kernel may read pages that a write covers in part.
    if access == O_WRONLY { access = O_RDWR }
    let file: OwnedDescriptor
    do throws(SystemError) {
      file = try reopen(own, flags: access)
    } catch  where error.code == EACCES && access == O_RDWR && flags & O_ACCMODE == O_WRONLY {
      file = try reopen(own, flags: O_WRONLY)
    }
    if flags & O_TRUNC != 0 {
      try changeContent(own.number, file, from: 0) { () throws(SystemError) in
        try retryingOnInterrupt("truncate") { ftruncate(file.raw, 0) }
        _ = noteChange(own.number, try Stat(descriptor: file.raw), isContent: false)
      }
    }
    let stat = try Stat(descriptor: file.raw)
    let isSame = tree.withLock { tree in
      guard let node = tree[own.number] else { return false }
      return node.attributes.size == UInt64(max(0, stat.size))
        && node.attributes.modified == stat.mtimeNs
    }
    let attributes = noteChange(own.number, stat, isContent: false)
    let handle = handles.withLock {
      $0.add(
        .own(
          OwnHandle(number: own.number, file: file, isWritable: flags & O_ACCMODE != O_RDONLY)))
    }
    if flags & O_TRUNC != 0, flags & O_ACCMODE == O_RDONLY { announce(own.number, file: file) }
    return (
      OpenReply(handle: handle, keepsCache: isSame),
      EntryReply(number: own.number, attributes: attributes)
    )
  }

  private func reopen(_ own: OwnPlace, flags: Int32) throws(SystemError) -> OwnedDescriptor {
    if let staged = own.staged { return try folder.openStaged(staged, flags: flags) }
    return try folder.open(own.path, flags: flags)
  }

  /// The staged file of an own place, where it is staged.
  func openStaged(_ own: OwnPlace) throws(SystemError) -> OwnedDescriptor? {
    guard let staged = own.staged else { return nil }
    return try folder.openStaged(staged, flags: O_RDWR)
  }
}

/// One pwrite(2), again where a signal came between.
private func pwrite(
  _ file: OwnedDescriptor, _ bytes: [UInt8], from start: Int, at offset: Int64
) -> Int {
  // SAFETY: the pointer is used only during the call and stays within the array.
  bytes.withUnsafeBytes { buffer in
    while true {
      let count = Glibc.pwrite(
        file.raw, buffer.baseAddress! + start, buffer.count - start, off_t(offset))
      if count >= 0 || errno != EINTR { return count }
    }
  }
}
