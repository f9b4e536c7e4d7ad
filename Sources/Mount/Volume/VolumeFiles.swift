import CFuse
import CLinux
import Core
import Glibc
import Protocol
import System

/// Open files: making, opening, closing.
extension Volume {
  /// CREATE: a new file is staged until its writer closes it; an own one that is there is opened.
  func create(
    _ request: Request, parent: InodeNumber, name: [UInt8], mode: UInt32, flags: Int32
  ) {
    changeNames(request) { [self] () throws(SystemError) in
      if let found = try existing(parent, name) {
        if flags & O_EXCL != 0 { throw SystemError(code: EEXIST, call: "create") }
        guard let own = found else { throw SystemError(code: EACCES, call: "others' file") }
        let (reply, entry) = try openOwn(own, flags: flags, for: request)
        changeTree { tree in tree[own.number].map { tree.remember($0) } }
        return request.reply(created: entry, reply)
      }
      let place = try freePlace(parent, name)
      try checkMayMake(parent, request.caller)
      let (staged, file) = try folder.stage(place.path, mode: mode & 0o7777, by: request.caller)
      let stat = try Stat(descriptor: file.raw)
      let entry = Entry(
        id: newID(), path: place.path, kind: .file, version: newID(), size: 0,
        modified: stat.modified, mode: UInt16(stat.permissions))
      let reply = changeTree { tree -> EntryReply? in
        // Somebody else's may have come to the name since that was found free.
        if tree.slot(at: place.path) != nil { return nil }
        let node = tree.putOwn(
          entry, owner: ownID.withLock { $0 }, node: nil, attributes: Attributes(stat),
          now: .now)
        node.own?.staged = staged
        tree.remember(node)
        return EntryReply(node)
      }
      guard let reply else {
        folder.discard(staged)
        throw SystemError(code: EEXIST, call: "create")
      }
      let own = OwnHandle(number: reply.number, file: file, isWritable: true)
      let handle = handles.withLock { $0.add(.own(own)) }
      request.reply(created: reply, OpenReply(handle: handle, keepsCache: true))
    }
  }

  /// OPEN. `thread`: the kernel's id of who opens it.
  func open(_ request: Request, _ number: InodeNumber, flags: Int32, by thread: Int32) {
    enum Found {
      case own
      case remote(UInt64)
      case failure(Int32)
    }
    let wantsToWrite = flags & O_ACCMODE != O_RDONLY || flags & O_TRUNC != 0
    let found = tree.withLock { tree -> Found in
      guard let node = tree[number], node.kind == .file else { return .failure(ESTALE) }
      if let occupied = node.occupied { return .failure(occupied.reason.code) }
      if node.own != nil { return .own }
      // What the kernel knows under a name that means something else by now: it looks the name up
      // again, once.
      guard let entry = node.entry, let owner = node.owner,
        node.isLinked
          || staleOpens.withLock({
            $0.mayOpen(thread, lookedUpAt: node.lastLookup, latest: tree.lookups)
          })
      else { return .failure(ESTALE) }
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
      // A version never changes, so what the kernel has cached of it stays true. FLUSH stays
      // wanted, though nothing is ever written: it tells of a reader that was killed in a pause.
      request.reply(opened: OpenReply(handle: handle, keepsCache: true))
      fetchNext(behind: number)
    case .own where !wantsToWrite && placedElsewhere(number) != nil:
      onDisk(request, key: number) { [self] () throws(SystemError) in
        guard let own = placedElsewhere(number) else {
          throw SystemError(code: ESTALE, call: "open")
        }
        let (reply, _) = try openOwn(own, flags: flags, for: request)
        request.reply(opened: reply)
      }
    case .own:
      // Looked up again under the lock: a rename may have come between.
      changeNames(request) { [self] () throws(SystemError) in
        guard let own = ownPlace(number) else { throw SystemError(code: ESTALE, call: "open") }
        let (reply, _) = try openOwn(own, flags: flags, for: request)
        request.reply(opened: reply)
      }
    }
  }

  func release(_ request: Request, handle: UInt64) {
    request.reply()
    switch handles.withLock({ $0.remove(handle) }) {
    case .remote(let stream): fetcher.withLock { $0.close(stream) }
    case .own(let own) where own.isInPlace:
      // To close it may hang as well.
      _ = pool.submit(key: own.key) { withExtendedLifetime(own.file) {} }
    case .own(let own) where own.isWritable:
      let isUntold = tree.withLock { tree in
        guard let node = tree[own.number], let state = node.own, node.isLinked else { return false }
        return !state.isAbandoned && (!state.isAnnounced || state.isDirty)
      }
      // Whoever else has it open for writing announces it in time.
      if isUntold, !handles.withLock({ $0.own(own.number).contains { $0.isWritable } }) {
        announceWithoutWaiting(own)
      }
    default: break
    }
  }

  /// What is at a name: nil, one's own, or (the inner nil) somebody else's. Throws: EEXIST for what
  /// is not shared.
  private func existing(
    _ parent: InodeNumber, _ name: [UInt8]
  ) throws(SystemError) -> OwnPlace?? {
    let path = try place(parent, name).path
    let (found, isOccupied) = tree.withLock { tree in
      let node = tree[parent]?.children[path.name]?.node
      return (node.map { ownState($0, tree) }, node?.occupied != nil)
    }
    if isOccupied { throw SystemError(code: EEXIST, call: "create") }
    return found
  }

  private func openOwn(
    _ own: OwnPlace, flags: Int32, for request: Request
  ) throws(SystemError) -> (OpenReply, EntryReply) {
    if own.kind != .file { throw SystemError(code: EISDIR, call: "open") }
    let truncates = flags & O_TRUNC != 0
    let wantsToWrite = flags & O_ACCMODE != O_RDONLY
    let file: OwnedDescriptor
    do throws(SystemError) {
      // The kernel may read pages that a write covers in part.
      file = try reopen(own, flags: wantsToWrite || truncates ? O_RDWR : O_RDONLY)
    } catch  where error.code == EACCES && flags & O_ACCMODE == O_WRONLY {
      file = try reopen(own, flags: O_WRONLY)
    }
    // Known as open before it is empty: no other close announces it meanwhile.
    let opened = OwnHandle(
      number: own.number, file: file, isWritable: wantsToWrite,
      isInPlace: own.isLinked && folder.place(of: own.path) != nil)
    let handle = handles.withLock { $0.add(.own(opened)) }
    let entry: EntryReply
    let isSame: Bool
    do throws(SystemError) {
      if truncates {
        try changeContent(for: request, own.number, file, from: 0) { () throws(SystemError) in
          try retryingOnInterrupt("truncate") { ftruncate(file.raw, 0) }
        }
      }
      let look = try look(own.number, file)
      isSame = tree.withLock { tree in
        tree[own.number].map {
          !$0.attributes.isOtherContent(Attributes(look.stat)) && !$0.attributes.hasOtherNames
        } ?? false
      }
      entry = try show(look)
    } catch {
      _ = handles.withLock { $0.remove(handle) }
      throw error
    }
    if truncates, !wantsToWrite { announceOrOwe(own.number, file: file) }
    return (OpenReply(handle: handle, keepsCache: isSame), entry)
  }
}
