import DequeModule
import Glibc
import Logging
package import Protocol
import System

/// The master's word that an own entry is not listed where it is.
struct Refusal: Sendable {
  let entry: Entry
  let reason: Rejection
  let isOfRename: Bool
}

/// What happens where somebody else had a path first: nothing is lost.
extension OwnFiles {
  /// The master did not take an own entry. A staged file is withdrawn by whoever waits for its
  /// `close`; what lies in the own folder already is kept under a conflict name.
  package func refused(_ entry: Entry, _ reason: Rejection) {
    deal(with: Refusal(entry: entry, reason: reason, isOfRename: false))
  }

  /// The master did not take a rename: the entry goes on under a conflict name.
  package func renameRefused(_ entry: Entry, _ reason: Rejection) {
    deal(with: Refusal(entry: entry, reason: reason, isOfRename: true))
  }

  /// Refusals are dealt with in the order in which they came: a directory goes aside before what
  /// lies in it, which then keeps its own name.
  private func deal(with refusal: Refusal) {
    refusals.withLock { $0.append(refusal) }
    // All that wait by then: where the pool took no more, those before have left none.
    disk.run { [self] in
      var isDone = false
      while !isDone {
        nameLock.withLock { held in
          for _ in 0..<RescanSchedule.batch {
            guard let next = refusals.withLock({ $0.popFirst() }) else {
              isDone = true
              return
            }
            perform(held, next)
          }
        }
        group.drain()
      }
    }
  }

  private func perform(_ held: borrowing NamesHeld, _ refusal: Refusal) {
    let entry = refusal.entry
    let own = namespace.read { tree in tree.node(of: entry.id).flatMap { OwnPlace($0, tree) } }
    guard let own else { return }
    if own.path == entry.path {
      if refusal.isOfRename || own.staged == nil { giveUpPath(held, own, refusal) }
    } else if !refusal.isOfRename, own.staged == nil {
      // It was moved meanwhile, with the directory it lies in: announced again where it is.
      announceAgain(own.number)
    }
  }

  private func giveUpPath(_ held: borrowing NamesHeld, _ own: OwnPlace, _ refusal: Refusal) {
    switch refusal.reason {
    case .exists, .notADirectory, .isADirectory, .notTheOwner, .unknownEntry:
      keepAside(held, own, refusal.reason)
    case .listFull, .shareFull, .tooDeep, .pathTooLong, .linkLeadsOut, .impossible, .tooMuch,
      .outdated:
      // Another name would change nothing.
      occupy(held, own.number, .refused(refusal.reason))
      rescans.wake()
    }
  }

  private func keepAside(_ held: borrowing NamesHeld, _ refused: OwnPlace, _ reason: Rejection) {
    guard let own = listed(held, refused) else { return }
    guard let path = freeConflictPath(held, own.path, isFolder: own.kind == .directory, own.number)
    else {
      occupy(held, own.number, .noConflictName)
      return rescans.wake()
    }
    budget.log(
      .warning, "conflicts",
      "the path belongs to somebody else: kept under another name",
      metadata: ["path": "\(own.path.shown)", "now": "\(path.shown)", "why": "\(reason)"])
    let wasKnown = beginOperation(own.number, try? folder.stat(own.path))
    defer { endOperation(own.number, path: path, wasKnown: wasKnown) }
    do throws(SystemError) {
      try folder.rename(held, own.path, to: path, replacing: false)
    } catch {
      budget.log(.error, "conflicts", "cannot rename an own file: \(error)")
      occupy(held, own.number, .cannotStepAside(error.code))
      return rescans.wake()
    }
    namespace.changeAndTell { tree in
      guard let node = tree[own.number], let directory = node.parent else { return }
      tree.move(node, to: directory, path.name, now: .now)
      tellMoved(node, from: own.path, to: path)
    }
    announceAgain(own.number)
  }

  /// What is listed under another name where an entry was refused: what is shared in place goes as
  /// a whole, since nothing is ever renamed in it. nil where that had to be told anew.
  private func listed(_ held: borrowing NamesHeld, _ refused: OwnPlace) -> OwnPlace? {
    guard let place = folder.inPlaceShare(holding: refused.path) else { return refused }
    let top = namespace.read { tree in tree.node(at: place.name).flatMap { OwnPlace($0, tree) } }
    guard let top, !isOwnOnly(top) else { return top }
    // Others have something in a directory of that name, which stays.
    let isFolder = place.root?.file == nil
    guard let name = freeConflictPath(held, place.name, isFolder: isFolder, top.number) else {
      budget.log(
        .error, "conflicts",
        "not shared: its path is somebody else's, and no other name for it fits",
        metadata: ["path": "\(place.name.shown)"])
      forgetOwn(held, top.number)
      return nil
    }
    budget.log(
      .warning, "conflicts",
      "the path belongs to somebody else: listed under another name",
      metadata: ["path": "\(place.name.shown)", "now": "\(name.shown)"])
    do throws(SystemError) {
      try folder.relist(held, place.name, to: name, replacing: false)
      forgetOwn(held, top.number)
      rescans.add(.place(place.id), isFinished: false)
      rescans.wake()
    } catch {
      budget.log(
        .error, "conflicts", "cannot list under another name what is shared in place: \(error)")
    }
    return nil
  }

  /// Announces a node, and what lies below it, as it is, where it is.
  private func announceAgain(_ number: InodeNumber) {
    namespace.read { tree in
      guard let node = tree[number] else { return }
      shareAll(node)
    }
  }

  private func shareAll(_ node: Node) {
    if node.own?.isAnnounced == true, let entry = node.entry { tell(node, entry) }
    let own = node.children.own
    for name in own.keys.sorted(by: { $0.bytes.lexicographicallyPrecedes($1.bytes) }) {
      shareAll(own[name]!.node)
    }
  }

  /// A path beside another one that is free (`ConflictName`), for a file or folder and all that is
  /// in it; nil where there is none. `number`: its node, where it has one.
  func freeConflictPath(
    _ held: borrowing NamesHeld,
    _ path: SharePath, isFolder: Bool, _ number: InodeNumber? = nil
  ) -> SharePath? {
    for attempt in 0..<ConflictName.attempts {
      let name = ConflictName(of: path, isFolder: isFolder, member: group.deviceName, attempt)
      // A higher number makes it no shorter.
      guard let candidate = name.path else { return nil }
      if let number, !namespace.read({ $0.fits(number, at: candidate) }) { return nil }
      if !isTaken(candidate), isFree(candidate) { return candidate }
    }
    return nil
  }

  /// Whether nothing lies there, as far as can be known.
  private func isFree(_ path: SharePath) -> Bool {
    do throws(SystemError) {
      _ = try folder.stat(path)
      return false
    } catch {
      return error.code == ENOENT
    }
  }

  private func isTaken(_ path: SharePath) -> Bool {
    namespace.read { tree in
      var node: Node? = tree.root
      for name in path.names { node = node?.children[name]?.node }
      return node != nil
    }
  }
}
