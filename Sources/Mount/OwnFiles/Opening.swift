import CFuse
import CLinux
import Core
import Glibc
import Protocol
import System

/// Open files: making, opening, closing.
extension OwnFiles {
  /// CREATE: a new file is staged until its writer closes it; an own one that is there is opened.
  func create(
    _ request: Request, parent: InodeNumber, name: [UInt8], mode: UInt32, flags: Int32
  ) {
    changeNames(request) { [self] held throws(SystemError) in
      if let found = try existing(held, parent, name) {
        if flags & O_EXCL != 0 { throw SystemError(code: EEXIST, call: "create") }
        guard let own = found else { throw SystemError(code: EACCES, call: "others' file") }
        let (reply, entry) = try openOwn(held, own, flags: flags, for: request)
        namespace.change { tree in tree[own.number].map { tree.remember($0) } }
        return request.reply(created: entry, reply)
      }
      let place = try freePlace(held, parent, name)
      try checkMayMake(parent, request.caller)
      let (staged, file) = try folder.stage(place.path, mode: mode & 0o7777, by: request.caller)
      let stat = try Stat(descriptor: file.raw)
      let entry = Entry(
        id: RandomID.fresh(), path: place.path, kind: .file, version: RandomID.fresh(), size: 0,
        modified: stat.modified, mode: UInt16(stat.permissions))
      let reply = namespace.change { tree -> EntryReply? in
        // Somebody else's may have come to the name since that was found free.
        if tree.slot(at: place.path) != nil { return nil }
        let node = tree.putOwn(
          entry, owner: ownID, node: nil, attributes: Attributes(stat),
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
      let handle = handles.add(own)
      request.reply(created: reply, OpenReply(handle: handle, keepsCache: true))
    }
  }

  /// OPEN of an own file.
  func open(_ request: Request, _ number: InodeNumber, flags: Int32) {
    let wantsToWrite = flags & O_ACCMODE != O_RDONLY || flags & O_TRUNC != 0
    if !wantsToWrite, placedElsewhere(number) != nil {
      return disk.answer(request, key: number) { [self] () throws(SystemError) in
        guard let own = placedElsewhere(number) else {
          throw SystemError(code: ESTALE, call: "open")
        }
        let (reply, _) = try open(own, flags: flags, for: request)
        request.reply(opened: reply)
      }
    }
    // Looked up again under the lock: a rename may have come between.
    changeNames(request) { [self] held throws(SystemError) in
      guard let own = ownPlace(number) else { throw SystemError(code: ESTALE, call: "open") }
      let (reply, _) = try openOwn(held, own, flags: flags, for: request)
      request.reply(opened: reply)
    }
  }

  /// RELEASE: an own file is open by one handle less.
  func released(_ own: OwnHandle) {
    if own.isInPlace {
      // To close it may hang as well.
      _ = disk.submit(key: own.key) { withExtendedLifetime(own.file) {} }
      return
    }
    guard own.isWritable else { return }
    let isUntold = namespace.read { tree in
      guard let node = tree[own.number], let state = node.own, node.isLinked else { return false }
      return !state.isAbandoned && (!state.isAnnounced || state.isDirty)
    }
    // Whoever else has it open for writing announces it in time.
    if isUntold, !handles.own(own.number).contains(where: \.isWritable) {
      announceWithoutWaiting(own)
    }
  }

  /// What is at a name: nil, one's own, or (the inner nil) somebody else's. Throws: EEXIST for what
  /// is not shared.
  private func existing(
    _ held: borrowing NamesHeld,
    _ parent: InodeNumber, _ name: [UInt8]
  ) throws(SystemError) -> OwnPlace?? {
    let path = try place(parent, name).path
    let (found, isOccupied) = namespace.read { tree in
      let node = tree[parent]?.children[path.name]?.node
      return (node.map { OwnPlace($0, tree) }, node?.occupied != nil)
    }
    if isOccupied { throw SystemError(code: EEXIST, call: "create") }
    return found
  }

  /// Opens an own file; what is emptied by that alone is announced.
  private func openOwn(
    _ held: borrowing NamesHeld, _ own: OwnPlace, flags: Int32, for request: Request
  ) throws(SystemError) -> (OpenReply, EntryReply) {
    let opened = try open(own, flags: flags, for: request)
    if flags & O_TRUNC != 0, flags & O_ACCMODE == O_RDONLY {
      announceOrOwe(held, own.number, file: nil)
    }
    return opened
  }

  private func open(
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
      isInPlace: own.isLinked && folder.inPlaceShare(holding: own.path) != nil)
    let handle = handles.add(opened)
    let entry: EntryReply
    let isSame: Bool
    do throws(SystemError) {
      if truncates {
        try changeContent(for: request, own.number, file, from: 0) { () throws(SystemError) in
          try retryingOnInterrupt("truncate") { ftruncate(file.raw, 0) }
        }
      }
      let snapshot = try self.snapshot(own.number, file)
      isSame = namespace.read { tree in
        tree[own.number].map {
          !$0.attributes.isOtherContent(Attributes(snapshot.stat)) && !$0.attributes.hasOtherNames
        } ?? false
      }
      entry = try show(snapshot)
    } catch {
      handles.remove(handle)
      throw error
    }
    return (OpenReply(handle: handle, keepsCache: isSame), entry)
  }
}
