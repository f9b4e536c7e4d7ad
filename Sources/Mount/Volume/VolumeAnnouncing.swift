import Core
import Glibc
import Logging
import Protocol
import System

/// How the group learns of one's own files, and what its answer does to them.
extension Volume {
  /// FLUSH: a file that was written since it was last announced is announced, and the program's `close` returns with
  /// the group's answer. `thread`: the kernel's id of who closes it.
  func flush(_ request: Request, handle: UInt64, closedBy thread: Int32) {
    let closed = handles.withLock { $0[handle] }
    if case .remote(let stream)? = closed { abandonPausedReads(of: stream) }
    guard case .own(let own)? = closed, own.isWritable else { return request.reply() }
    let isNews = tree.withLock { tree in
      tree[own.number]?.own.map { $0.isDirty || !$0.isAnnounced } ?? false
    }
    guard isNews else { return flush(request, own, on: onDiskSoon) }
    // Nothing answers before this does: then whoever closes it is still there, also when it was killed.
    let cause = closeCauses.ask(
      thread, meanwhile: { beginNote(own) },
      late: { [self] cause in flush(request, own, cause, on: pool.submit) })
    if let cause { flush(request, own, cause, on: onDiskSoon) }
  }

  /// The disk makes the note of a new file while it is looked who closes it: all that a close costs besides.
  private func beginNote(_ own: OwnHandle) {
    let staged = tree.withLock { tree in
      tree[own.number]?.own.flatMap { $0.isDirty ? $0.staged : nil }
    }
    if let staged { _ = onThisThread { folder.beginNote(staged) } }
  }

  /// Has work done on the disk; false when too much waits already.
  private typealias DiskWork = (@escaping @Sendable () -> Void) -> Bool

  private func flush(
    _ request: Request, _ own: OwnHandle, _ cause: CloseCause, on disk: DiskWork
  ) {
    // Who becomes another program cannot hear the answer, and the kernel lets nobody look at it until it has one. Nothing
    // is said of the file either: whoever has it open besides goes on writing, else RELEASE follows.
    if cause == .exec { return request.reply() }
    noteCloser(own, isKilled: cause == .killed)
    flush(request, own, on: disk)
  }

  private func flush(_ request: Request, _ own: OwnHandle, on disk: DiskWork) {
    let state = tree.withLock { tree -> (isDirty: Bool, failure: Int32?) in
      guard let state = tree[own.number]?.own else { return (false, nil) }
      return (state.isDirty && !state.isAbandoned, state.failure)
    }
    if state.failure != nil || !state.isDirty { return request.reply(error: state.failure ?? 0) }
    let token = closing.withLock { $0.park(request) }
    request.whenInterrupted(token: token)
    // The change goes on all the same.
    closing.withLock { $0.isKnown(token) }?.reply(error: EINTR)
    let isAccepted = disk { [self] in
      namespace.withLock { _ in
        do throws(SystemError) { try beginClose(own, token) } catch {
          finishClose(token, error.code)
        }
      }
      group.drain()
    }
    if !isAccepted { finishClose(token, EBUSY) }
  }

  /// An INTERRUPT ends the wait of a `close` with EINTR; the change itself goes on.
  func interruptClose(_ token: UInt64) {
    closing.withLock { $0.interrupt(token) }?.reply(error: EINTR)
  }

  /// Answers a `close`, unless that was done already.
  private func finishClose(_ token: UInt64, _ code: Int32) {
    closing.withLock { $0.take(token) }?.reply(error: code)
  }

  private func beginClose(_ own: OwnHandle, _ token: UInt64) throws(SystemError) {
    let place = tree.withLock { tree -> OwnPlace? in
      guard let node = tree[own.number], node.isLinked else { return nil }
      return ownState(node, tree)
    }
    guard let place else { return finishClose(token, 0) }
    if let staged = place.staged { try folder.markComplete(staged, target: place.path) }
    if settings.closesAsync {
      try placeStaged(own.number)
      announce(own.number, file: own.file)
      return finishClose(token, 0)
    }
    let isAnnounced = announce(own.number, file: own.file) { [self, number = own.number] outcome in
      closed(number, outcome) { [self] code in finishClose(token, code) }
    }
    if !isAnnounced { finishClose(token, 0) }
  }

  /// A new file is closed, or whoever wrote it was killed: then it is not complete, and not shared. Whoever closes it
  /// after that shares it; else the next start deletes it.
  private func noteCloser(_ own: OwnHandle, isKilled: Bool) {
    let path = tree.withLock { tree -> SharePath? in
      guard let node = tree[own.number], let state = node.own, !state.isAnnounced else {
        return nil
      }
      node.own!.abandonedWrites = isKilled ? state.writes : nil
      return tree.path(of: node)
    }
    guard isKilled, let path else { return }
    budget.log(
      .warning, "writers that were killed",
      "not shared: whoever wrote it was killed; it is deleted at the next start",
      metadata: ["path": "\(shown(path))"])
  }

  /// The last close of a file that was never announced, or that was written after its last FLUSH.
  func announceWithoutWaiting(_ own: OwnHandle) {
    onDisk { [self] in
      namespace.withLock { _ in
        let place = tree.withLock { tree in tree[own.number].flatMap { ownState($0, tree) } }
        guard let place else { return }
        if let staged = place.staged { try? folder.markComplete(staged, target: place.path) }
        // Only the number: the file must not stay open until the group answers.
        _ = announce(own.number, file: own.file) { [self, number = own.number] outcome in
          // No program hears that the group did not answer: then it stays, and is announced until it is taken.
          let isTaken = outcome == .timedOut || outcome == .masterAway
          closed(number, isTaken ? .acked : outcome) { _ in }
        }
      }
      group.drain()
    }
  }

  /// Announces the present content as a new version. Namespace lock held; `group.drain` must follow.
  /// Returns: false where there is nothing to announce: the file is no longer there.
  @discardableResult
  func announce(
    _ number: InodeNumber, file: OwnedDescriptor?,
    then done: (@Sendable (ChangeOutcome) -> Void)? = nil
  ) -> Bool {
    let before = tree.withLock { tree -> (own: OwnPlace, writes: UInt64, parents: [SharePath])? in
      guard let node = tree[number], node.isLinked, let place = ownState(node, tree),
        let parent = node.parent
      else { return nil }
      let parents = tree.unclaimed(parent).compactMap { tree.path(of: $0) }
      return (place, node.own!.writes, parents)
    }
    guard let (own, writes, parents) = before else { return false }
    do {
      try claim(parents)
      let look = try look(number, file ?? reach(own))
      let stat = look.stat
      var entry = Entry(
        id: own.id, path: own.path, kind: .file, version: newID(),
        size: UInt64(max(0, stat.size)), modified: stat.modified, mode: UInt16(stat.permissions))
      index.note(entry.id, entry.version, FileRecord(stat))
      defer { showOtherNames(of: number) }
      return changeTree { tree in
        guard let node = tree[number], node.isLinked, node.own?.id == own.id else { return false }
        let attributes = node.noteVersion(&entry, look, writesBefore: writes)
        if entry.beginning == nil {
          sent.withLock { $0.begin(entry.id) }
          node.own!.isLineOlder = false
        }
        tree.putOwn(
          entry, owner: ownID.withLock { $0 }, node: node, attributes: attributes,
          now: .now)
        node.own!.isAnnounced = true
        if let done {
          group.share(entry, timeout: settings.ackTimeout, done)
        } else {
          group.share(entry)
        }
        return true
      }
    } catch {
      log.error("cannot announce an own file: \(error)")
      return false
    }
  }

  /// Tells the group about new attributes of the same content. Namespace lock held.
  func retell(_ number: InodeNumber) {
    changeTree { tree in
      // What was removed is never told of again: its path may be another file's by now.
      guard let node = tree[number], node.isLinked, let own = node.own, own.isAnnounced,
        !own.isDirty, var entry = node.entry
      else { return }
      entry.mode = UInt16(node.attributes.mode & 0o7777)
      entry.modified = node.attributes.modified
      if entry == node.entry { return }
      tree.putOwn(
        entry, owner: ownID.withLock { $0 }, node: node, attributes: node.attributes,
        now: .now)
      group.share(entry)
    }
  }

  /// Moves a staged file to where it belongs. Namespace lock held.
  func placeStaged(_ number: InodeNumber) throws(SystemError) {
    let own = tree.withLock { tree -> OwnPlace? in
      guard let node = tree[number], node.isLinked else { return nil }
      return ownState(node, tree)
    }
    guard let own, let staged = own.staged else { return }
    beginOperation(number)
    defer { endOperation(number, path: own.path) }
    do throws(SystemError) {
      try folder.place(staged, at: own.path, replacing: false)
    } catch  where error.code == EEXIST {
      // Somebody put a file there by hand, past the mount: it is kept beside ours.
      let aside = freeConflictPath(own.path)
      try folder.rename(own.path, to: aside, replacing: false)
      log.warning("kept a file that lay in the way", metadata: ["as": "\(shown(aside))"])
      try folder.place(staged, at: own.path, replacing: false)
    }
    tree.withLock { $0[number]?.own?.staged = nil }
  }

  /// The group's answer to a `close`, and what it does to the file; then `done` with the errno.
  private func closed(
    _ number: InodeNumber, _ outcome: ChangeOutcome, _ done: @escaping @Sendable (Int32) -> Void
  ) {
    onDisk { [self] in
      let code = namespace.withLock { _ -> Int32 in
        switch outcome {
        case .acked:
          do throws(SystemError) { try placeStaged(number) } catch {
            log.error("cannot move a file into place: \(error)")
            return error.code
          }
          return 0
        case .rejected: return withdraw(number, EEXIST, why: "the path is taken")
        case .timedOut: return withdraw(number, ETIMEDOUT, why: "the master did not answer in time")
        case .masterAway: return withdraw(number, EHOSTDOWN, why: "the master is away")
        }
      }
      group.drain()
      done(code)
    }
  }

  /// A new file that the group did not take goes; new content of a known one stays, and is announced
  /// until it is taken. Namespace lock held. Returns: the errno for the program that wrote.
  private func withdraw(_ number: InodeNumber, _ code: Int32, why: String) -> Int32 {
    let own = tree.withLock { tree in tree[number].flatMap { ownState($0, tree) } }
    guard let own else { return code }
    budget.log(
      .warning, "withdrawn files", "\(why)", metadata: ["path": "\(shown(own.path))"])
    guard let staged = own.staged else { return code }
    folder.discard(staged)
    changeTreeAndTell { tree in
      tree[number]?.own?.failure = code
      tree[number]?.own?.staged = nil
      tree.remove(own.id, now: .now)
      group.unshare(own.id)
    }
    releaseImplied(own.path.parent)
    return code
  }

  /// A path as people can read it in a log.
  func shown(_ path: SharePath) -> String { String(decoding: path.bytes, as: UTF8.self) }
}
