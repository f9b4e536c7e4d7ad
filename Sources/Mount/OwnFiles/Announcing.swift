import Core
import Glibc
import Logging
import Protocol
import System

/// How the group learns of one's own files, and what its answer does to them.
extension OwnFiles {
  /// FLUSH: a file that was written since it was last announced is announced, and the program's
  /// `close` returns with the group's answer. `thread`: the kernel's id of who closes it.
  func flush(_ request: Request, _ own: OwnHandle, closedBy thread: Int32) {
    guard own.isWritable else { return request.reply() }
    let isNews = namespace.read { tree in
      tree[own.number]?.own.map { $0.isDirty || !$0.isAnnounced } ?? false
    }
    let token = closing.withLock { $0.newToken() }
    guard isNews else { return flush(request, own, token, on: disk.soon) }
    // Nothing answers before this does: then whoever closes it is still there, also when it was
    // killed.
    let question = closeCauses.ask(
      thread,
      corrected: { [self] cause in
        // It was taken for somebody who waits for the group.
        if cause == .exec { interruptClose(token) }
      })
    let cause = question.answer(late: { [self] cause in
      flush(request, own, cause, token, on: { disk.submit($0) })
    })
    if let cause { flush(request, own, cause, token, on: disk.soon) }
  }

  /// Has work done on the disk; false when too much waits already.
  private typealias Execution = (@escaping @Sendable () -> Void) -> Bool

  private func flush(
    _ request: Request, _ own: OwnHandle, _ cause: CloseCause, _ token: UInt64,
    on execute: Execution
  ) {
    // Who becomes another program cannot hear the answer, and the kernel lets nobody look at it
    // until it has one. Nothing is said of the file either: whoever has it open besides goes on
    // writing, else RELEASE follows.
    if cause == .exec { return request.reply() }
    noteCloser(own, isKilled: cause == .killed)
    flush(request, own, token, on: execute)
  }

  private func flush(_ request: Request, _ own: OwnHandle, _ token: UInt64, on execute: Execution) {
    let state = namespace.read { tree -> (isDirty: Bool, failure: Int32?) in
      guard let state = tree[own.number]?.own else { return (false, nil) }
      return (state.isDirty && !state.isAbandoned, state.failure)
    }
    if state.failure != nil || !state.isDirty { return request.reply(error: state.failure ?? 0) }
    closing.withLock { $0.park(request, token) }
    request.whenInterrupted(token: token)
    // The change goes on all the same.
    closing.withLock { $0.isKnown(token) }?.reply(error: EINTR)
    let isAccepted = execute { [self] in
      nameLock.withLock { held in
        refreshIgnored(held)
        do throws(SystemError) { try beginClose(held, own, token) } catch {
          finishClose(token, couldNotAnnounce(held, own.number, error))
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
  func finishClose(_ token: UInt64, _ code: Int32) {
    closing.withLock { $0.take(token) }?.reply(error: code)
  }

  private func beginClose(_ held: borrowing NamesHeld, _ own: OwnHandle, _ token: UInt64)
    throws(SystemError)
  {
    let place = namespace.read { tree -> OwnPlace? in
      guard let node = tree[own.number], node.isLinked else { return nil }
      return OwnPlace(node, tree)
    }
    guard let place else { return finishClose(token, 0) }
    if let staged = place.staged { try folder.markComplete(staged, target: place.path) }
    if settings.closesAsync || settings.keepsOffline && !group.answersChanges {
      try placeStaged(held, own.number)
      try announceOwing(held, own.number, file: own.file)
      return finishClose(token, 0)
    }
    let isAnnounced = try announceOwing(held, own.number, file: own.file) {
      [self, number = own.number] outcome in
      closed(number, outcome, token)
    }
    if !isAnnounced { finishClose(token, 0) }
  }

  /// A new file is closed, or whoever wrote it was killed: then it is not complete, and not shared.
  /// Whoever closes it after that shares it; else the next start deletes it.
  private func noteCloser(_ own: OwnHandle, isKilled: Bool) {
    let path = namespace.note { tree -> SharePath? in
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
      metadata: ["path": "\(path.shown)"])
  }

  /// The last close of a file that was never announced, or that was written after its last FLUSH.
  func announceWithoutWaiting(_ own: OwnHandle) {
    disk.run { [self] in
      nameLock.withLock { held in
        let place = namespace.read { tree in tree[own.number].flatMap { OwnPlace($0, tree) } }
        guard let place else { return }
        refreshIgnored(held)
        do throws(SystemError) {
          if let staged = place.staged { try folder.markComplete(staged, target: place.path) }
          // Only the number: the file must not stay open until the group answers.
          try announceOwing(held, own.number, file: own.file) {
            [self, number = own.number] outcome in
            // No program hears that the group did not answer: then it stays, and is announced until
            // it is taken.
            let isTaken = outcome == .timedOut || outcome == .masterAway
            closed(number, isTaken ? .acked : outcome, nil)
          }
        } catch {
          if place.staged != nil { setAside(held, own.number, error) }
        }
      }
      group.drain()
    }
  }

  /// Announces the present content as a new version; where that fails, of a file that lies in its
  /// place, it is done later. `group.drain` must follow. Returns and throws as
  /// `announce`.
  @discardableResult
  func announceOwing(
    _ held: borrowing NamesHeld,
    _ number: InodeNumber, file: OwnedDescriptor?,
    then done: (@Sendable (ChangeOutcome) -> Void)? = nil
  ) throws(SystemError) -> Bool {
    do throws(SystemError) {
      let isAnnounced = try announce(held, number, file: file, then: done)
      rescans.settled(.announcement(number))
      return isAnnounced
    } catch {
      if namespace.read({ $0[number]?.own?.staged == nil }) {
        rescans.couldNotLook(.announcement(number), error)
        watch.hurry()
      }
      throw error
    }
  }

  /// The same, where nobody waits to hear of it.
  func announceOrOwe(_ held: borrowing NamesHeld, _ number: InodeNumber, file: OwnedDescriptor?) {
    do throws(SystemError) { try announceOwing(held, number, file: file) } catch {
      log.warning("cannot announce an own file: \(error)")
    }
  }

  /// Announces a file that could not be announced when it was due, if that was not done meanwhile.
  func announceOwed(_ held: borrowing NamesHeld, _ number: InodeNumber) {
    let isOwed = namespace.read { tree in
      guard let node = tree[number], node.isLinked, let own = node.own else { return false }
      return own.isDirty && own.staged == nil
    }
    if !isOwed { return rescans.settled(.announcement(number)) }
    announceOrOwe(held, number, file: nil)
  }

  /// Announces the present content as a new version. `group.drain` must follow. Returns: false
  /// where there is nothing to announce: the file is no longer there. Throws: what keeps from
  /// looking at it, or from claiming a directory above it; then nothing was told.
  @discardableResult
  func announce(
    _ held: borrowing NamesHeld,
    _ number: InodeNumber, file: OwnedDescriptor?,
    then done: (@Sendable (ChangeOutcome) -> Void)? = nil
  ) throws(SystemError) -> Bool {
    let before = namespace.read { tree -> (own: OwnPlace, writes: UInt64, parents: [SharePath])? in
      guard let node = tree[number], node.isLinked, let place = OwnPlace(node, tree),
        let parent = node.parent
      else { return nil }
      let parents = tree.unclaimed(parent).compactMap { tree.path(of: $0) }
      return (place, node.own!.writes, parents)
    }
    guard let (own, writes, parents) = before else { return false }
    try claim(held, parents)
    let file = if let file { file } else { try reach(own) }
    let snapshot = try self.snapshot(number, file)
    let stat = snapshot.stat
    if stat.size > Limits.fileSize {
      rescans.lookAgain(at: number)
      throw SystemError(code: EFBIG, call: "announce a file larger than can be shared")
    }
    var entry = Entry(
      id: own.id, path: own.path, kind: .file, version: RandomID.fresh(),
      size: UInt64(max(0, stat.size)), modified: stat.modified, mode: UInt16(stat.permissions))
    let isIgnored = namespace.note { tree in
      tree[number].map { self.isIgnored($0, own.path, isDirectory: false) } ?? false
    }
    note(entry, FileRecord(stat), isIgnored: isIgnored)
    defer { showOtherNames(held, of: number) }
    return namespace.change { tree in
      guard let node = tree[number], node.isLinked, node.own?.id == own.id else { return false }
      let attributes = node.noteVersion(&entry, snapshot, writesBefore: writes)
      if entry.beginning == nil {
        beginLine(of: entry.id)
        node.own!.isLineOlder = false
      }
      tree.putOwn(
        entry, owner: ownID, node: node, attributes: attributes,
        now: .now)
      node.own!.isAnnounced = true
      tell(node, entry, done)
      return true
    }
  }

  /// Tells the group of a node's entry, unless it is kept from it: then that is all there is to
  /// do, and well. With the namespace locked. `done` as of `GroupPort.share`.
  func tell(
    _ node: Node, _ entry: Entry, _ done: (@Sendable (ChangeOutcome) -> Void)? = nil
  ) {
    if isIgnored(node, entry.path, isDirectory: entry.kind == .directory) {
      // Nobody is answered under a lock.
      if let done { disk.run { done(.acked) } }
      return
    }
    tellGroup(entry, done)
  }

  /// Tells the group of an own entry: the one way by which entries leave. What the wire's own
  /// decoder would refuse is not told, whatever mistake of ours made it: it would keep the group
  /// from taking all that follows. `done` as of `GroupPort.share`.
  func tellGroup(_ entry: Entry, _ done: (@Sendable (ChangeOutcome) -> Void)? = nil) {
    if let fault = entry.fault {
      log.error(
        "not shared: what this program made of it fits no entry (\(fault)); please report this",
        metadata: ["path": "\(entry.path.shown)"])
      // Nobody is answered under a lock.
      if let done { disk.run { done(.rejected(.impossible)) } }
      return
    }
    if let done {
      group.share(entry, timeout: settings.ackTimeout, done)
    } else {
      group.share(entry)
    }
  }

  /// Tells the group about new attributes of the same content.
  func retell(_ held: borrowing NamesHeld, _ number: InodeNumber) {
    namespace.change { tree in
      // What was removed is never told of again: its path may be another file's by now.
      guard let node = tree[number], node.isLinked, let own = node.own, own.isAnnounced,
        !own.isDirty, var entry = node.entry
      else { return }
      entry.mode = UInt16(node.attributes.mode & 0o7777)
      entry.modified = node.attributes.modified
      if entry == node.entry { return }
      tree.putOwn(
        entry, owner: ownID, node: node, attributes: node.attributes,
        now: .now)
      tell(node, entry)
    }
  }
}
