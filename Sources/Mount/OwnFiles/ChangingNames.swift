import CFuse
import CLinux
import Glibc
import Protocol
import System

/// Changes of names: applied to the own folder and the tree at once, told to the group in order.
/// The kernel holds the directory's lock meanwhile, so nothing here waits for the network.
extension OwnFiles {
  func makeDirectory(
    _ request: Request, parent: InodeNumber, name: [UInt8], mode: UInt32
  ) {
    changeNames(request) { [self] held throws(SystemError) in
      let place = try freePlace(held, parent, name)
      try checkMayMake(parent, request.caller)
      try claim(held, place.unclaimed)
      try folder.makeDirectory(held, place.path, mode: mode & 0o7777, by: request.caller)
      let stat = try folder.stat(place.path)
      guard stat.isDirectory else { throw SystemError(code: EEXIST, call: "mkdir") }
      guard let reply = addOwn(held, place.path, stat) else {
        try folder.removeDirectory(held, place.path)
        throw SystemError(code: EEXIST, call: "mkdir")
      }
      request.reply(reply)
    }
  }

  func makeSymlink(_ request: Request, parent: InodeNumber, name: [UInt8], target: [UInt8]) {
    changeNames(request) { [self] held throws(SystemError) in
      let place = try freePlace(held, parent, name)
      guard SymlinkTarget.isContained(target, depth: place.path.depth) else {
        throw SystemError(code: EPERM, call: "a symlink that leads out of the share")
      }
      try checkMayMake(parent, request.caller)
      try claim(held, place.unclaimed)
      try folder.makeSymlink(held, place.path, target: target, by: request.caller)
      let stat = try folder.stat(place.path)
      guard stat.isSymlink else { throw SystemError(code: EEXIST, call: "symlink") }
      guard let reply = addOwn(held, place.path, stat, target: target) else {
        try folder.unlink(held, place.path)
        throw SystemError(code: EEXIST, call: "symlink")
      }
      request.reply(reply)
    }
  }

  func unlink(_ request: Request, parent: InodeNumber, name: [UInt8]) {
    changeNames(request) { [self] held throws(SystemError) in
      if try removeOccupied(held, parent, name, isDirectory: false) { return request.reply() }
      let found = try ownPlace(parent, name)
      if found.kind == .directory { throw SystemError(code: EISDIR, call: "unlink") }
      let remains = remains(of: found)
      if let staged = found.staged {
        folder.discard(staged)
      } else {
        try folder.unlink(held, found.path)
      }
      removeOwn(held, found, remains, parent, name)
      releaseImplied(held, found.path.parent)
      request.reply()
    }
  }

  func removeDirectory(_ request: Request, parent: InodeNumber, name: [UInt8]) {
    changeNames(request) { [self] held throws(SystemError) in
      if try removeOccupied(held, parent, name, isDirectory: true) { return request.reply() }
      let found = try ownPlace(parent, name)
      if found.kind != .directory { throw SystemError(code: ENOTDIR, call: "rmdir") }
      if !found.isEmpty { throw SystemError(code: ENOTEMPTY, call: "rmdir") }
      if !isOwnOnly(found) { throw inUseByOthers(found) }
      try folder.removeDirectory(held, found.path)
      removeOwn(held, found, nil, parent, name)
      releaseImplied(held, found.path.parent)
      request.reply()
    }
  }

  func rename(
    _ request: Request, parent: InodeNumber, name: [UInt8], newParent: InodeNumber,
    newName: [UInt8], flags: UInt32
  ) {
    if flags & ~clinux_rename_noreplace != 0 { return request.reply(error: EINVAL) }
    changeNames(request) { [self] held throws(SystemError) in
      let source = try ownPlace(parent, name)
      if !isOwnOnly(source) { throw inUseByOthers(source) }
      let target = try? ownPlace(newParent, newName)
      if target == nil {
        _ = try freePlace(held, newParent, newName)
      } else if flags != 0 {
        throw SystemError(code: EEXIST, call: "rename")
      }
      if target?.id == source.id { return request.reply() }
      if let target { try giveWay(target, to: source) }
      try checkMayAdd(newParent, request.caller)
      let place = try self.place(newParent, newName)
      if source.kind == .directory, place.path.isBelow(source.path) {
        throw SystemError(code: EINVAL, call: "rename into itself")
      }
      if namespace.read({ !$0.fits(source.number, at: place.path) }) {
        throw SystemError(code: ENAMETOOLONG, call: "rename")
      }
      if namespace.read({ !$0.keepsLinksInside(source.number, at: place.path) }) {
        throw SystemError(code: EPERM, call: "rename of a symlink that would lead out of the share")
      }
      try claim(held, place.unclaimed)
      let remains = target.flatMap { self.remains(of: $0) }
      let before = source.staged == nil ? try? folder.stat(source.path) : nil
      let wasKnown = beginOperation(source.number, before)
      defer { endOperation(source.number, path: place.path, wasKnown: wasKnown) }
      // What was put there past the mount a moment ago is not known, and not replaced.
      let replaces = target.map { $0.staged == nil && $0.kind != .directory } ?? false
      if let staged = source.staged {
        try folder.moveIntoPlace(held, staged, at: place.path, replacing: replaces)
      } else {
        if target?.kind == .directory { try folder.removeDirectory(held, place.path) }
        try folder.rename(held, source.path, to: place.path, replacing: replaces)
      }
      if let targetStaged = target?.staged { folder.discard(targetStaged) }
      move(held, source, to: newParent, newName, place.path, replacing: target, remains)
      releaseImplied(held, source.path.parent)
      request.reply()
      lookAgainAtOccupied(below: source.number)
    }
  }

  /// chmod, chown, utimens, truncate. The kernel has checked the caller's right to it by what
  /// shows.
  func setAttributes(
    _ request: Request, _ number: InodeNumber, _ wanted: AttributeChange, handle: HandleNumber?
  ) {
    let open = handle.flatMap { handle in
      if case .own(let own)? = handles[handle] { own } else { nil }
    }
    changeNames(request) { [self] held throws(SystemError) in
      if number == Node.rootNumber {
        return request.reply(changed: try changeTop(wanted, for: request.caller))
      }
      if let reply = try changeOccupied(held, number, wanted, for: request.caller) {
        return request.reply(changed: reply)
      }
      let own = try changeable(held, number)
      try checkMayChange(own)
      let file = if let open { open.file } else { try reach(own) }
      let wasKnown = beginOperation(number, try? Stat(descriptor: file.raw))
      defer { endOperation(number, try? Stat(descriptor: file.raw), wasKnown: wasKnown) }
      // What is announced below must not pass for the beginning of what it was.
      if wanted.size != nil, !wasKnown { loseTrack(of: number) }
      request.reply(changed: try apply(wanted, for: request, to: own, file, open))
      if wanted.size != nil, open == nil {
        announceOrOwe(held, number, file: nil)
      } else {
        retell(held, number)
      }
    }
  }

  /// Changes the attributes of what `file` stands for; `open`: where the program has it open.
  /// Returns: all as they are now.
  private func apply(
    _ wanted: AttributeChange, for request: Request, to own: OwnPlace, _ file: OwnedDescriptor,
    _ open: OwnHandle?
  ) throws(SystemError) -> EntryReply {
    func apply() throws(SystemError) -> EntryReply {
      try wanted.apply(to: file, for: request.caller) { () throws(SystemError) in
        if let open { open.file } else { try reopen(own, flags: O_WRONLY) }
      }
      return try show(snapshot(own.number, file), setsTime: wanted.times != nil)
    }
    guard let size = wanted.size else { return try apply() }
    try Self.checkSize(size, adding: 0)
    let before = namespace.read { $0[own.number]?.attributes.size ?? 0 }
    let start = min(before, UInt64(max(0, size)))
    return try changeContent(for: request, own.number, file, from: start, apply)
  }

  /// Runs one change of names at a time on the disk pool, then tells the group.
  func changeNames(
    _ request: Request,
    _ work: @escaping @Sendable (borrowing NamesHeld) throws(SystemError) -> Void
  ) {
    disk.answer(request) { [self] () throws(SystemError) in
      defer { group.drain() }
      try nameLock.withLock { held throws(SystemError) in
        refreshIgnored(held)
        try work(held)
      }
    }
  }
}
