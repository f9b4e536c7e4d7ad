import CLinux
import Glibc
import Logging
import Protocol
import System

/// Who may do what: of the members, who may add to a directory; of this machine's users, whose
/// rights are whose. Disk pool only.
extension OwnFiles {
  /// How many others are named that have something in a directory.
  static let namedOwners = 4

  /// Whether the caller may move something into a directory. Throws: EACCES.
  func checkMayAdd(_ parent: InodeNumber, _ caller: Caller) throws(SystemError) {
    switch namespace.read({ $0[parent]?.standing }) {
    case .own?, nil: return
    // Others' word gives no local user a right: only whoever mounted is the member.
    case .open? where settings.shown.isMember(caller): return
    case .open?, .closed?: throw SystemError(code: EACCES, call: "add to others' directory")
    }
  }

  /// Whether the caller may make something in a directory. Throws: EACCES.
  func checkMayMake(_ parent: InodeNumber, _ caller: Caller) throws(SystemError) {
    // What it makes could not be its own.
    if Caller.process.user != 0, !settings.shown.isMember(caller) {
      throw SystemError(code: EACCES, call: "make something for another user")
    }
    try checkMayAdd(parent, caller)
  }

  /// What is one's own and may have other attributes. Throws: EPERM for all else, also for others'
  /// directory in which one's own only lies.
  func changeable(_ held: borrowing NamesHeld, _ number: InodeNumber) throws(SystemError)
    -> OwnPlace
  {
    guard let own = ownPlace(number), namespace.read({ $0[number]?.own?.impliedMode }) == nil else {
      throw SystemError(code: EPERM, call: "change of somebody else's entry")
    }
    return own
  }

  /// Changes the attributes of the own folder itself, which the top of the share shows. Nobody else
  /// is told.
  func changeTop(
    _ wanted: AttributeChange, for caller: Caller
  ) throws(SystemError) -> EntryReply {
    try wanted.apply(to: folder.root, for: caller) { () throws(SystemError) in
      throw SystemError(code: EISDIR, call: "truncate")
    }
    let stat = try Stat(descriptor: folder.root.raw)
    return namespace.change { tree in
      tree.root.attributes.take(top: stat)
      if wanted.times != nil {
        tree.root.attributes.modified = stat.modified
        tree.root.attributes.accessed = stat.accessed
      }
      tree.root.attributes.changed = max(tree.root.attributes.changed, stat.changed)
      return EntryReply(tree.root)
    }
  }

  /// Shows what the own folder itself is like now. Takes no lock but the tree's.
  func showTop() {
    guard let stat = try? Stat(descriptor: folder.root.raw) else { return }
    namespace.changeAndTell { tree in
      let before = tree.root.attributes
      tree.root.attributes.take(top: stat)
      if tree.root.attributes != before { tree.invalidations.append(.attributes(tree.root.number)) }
    }
  }

  /// The error where others have something at or below a directory; the log says who.
  func inUseByOthers(_ own: OwnPlace) -> SystemError {
    let others = namespace.read { $0[own.number]?.otherOwners(limit: Self.namedOwners) ?? [] }
    budget.log(
      .warning, "directories that others have something in",
      "cannot be renamed or removed: others have something in it",
      metadata: [
        "path": "\(own.path.shown)",
        "of": "\(others.map { group.name(of: $0) }.joined(separator: ", "))",
      ])
    return SystemError(code: EPERM, call: "rename or remove what others have something in")
  }
}

// MARK: - Directories that one has only because something of one's own lies in them

extension OwnFiles {
  /// Makes and claims directories that so far only others have. Throws: what keeps one of them from
  /// being a directory of one's own, ENOTDIR where something else lies there.
  func claim(_ held: borrowing NamesHeld, _ directories: [SharePath]) throws(SystemError) {
    for path in directories {
      do throws(SystemError) { try claim(held, path) } catch {
        releaseImplied(held, path.parent)
        throw error
      }
    }
  }

  private func claim(_ held: borrowing NamesHeld, _ path: SharePath) throws(SystemError) {
    let mode = namespace.read { $0.node(at: path)?.shownAttributes.mode } ?? 0o755
    let isMade = try folder.makeImplied(held, path, mode: mode)
    let found = try folder.stat(path.name, in: path.parent)
    guard found.isDirectory else {
      throw SystemError(code: ENOTDIR, call: "a directory in the own folder")
    }
    // Nothing is claimed that cannot be shared: EXDEV where another file system is mounted there.
    _ = try folder.openDirectory(path)
    addOwn(
      held,
      path, found, implied: isMade ? mode & 0o1777 : folder.impliedMode(path), isAsked: false)
  }

  /// Takes back directories in which nothing of one's own lies any more: they were this member's
  /// only by that. `path`: the lowest of them. `group.drain` must follow.
  func releaseImplied(_ held: borrowing NamesHeld, _ path: SharePath?) {
    var next = path
    while let path = next, release(held, path) { next = path.parent }
  }

  private func release(_ held: borrowing NamesHeld, _ path: SharePath) -> Bool {
    let implied = namespace.read { tree in tree.node(at: path)?.own?.impliedMode }
    // What is shared in place below it may only be away for now.
    guard let implied, !folder.sharedPlaces.contains(where: { $0.name.isBelow(path) }) else {
      return false
    }
    do throws(SystemError) { try folder.removeDirectory(held, path) } catch {
      // ENOTEMPTY, as a rule.
      if error.code != ENOENT { return false }
    }
    let number = namespace.changeAndTell { tree -> InodeNumber? in
      guard let node = tree.node(at: path), let own = node.own, !node.holdsOwn else { return nil }
      let number = node.number
      tree.remove(own.id, now: .now)
      group.unshare(own.id)
      return number
    }
    guard let number else {
      // What is being copied in there lies elsewhere yet.
      do throws(SystemError) {
        if try folder.makeImplied(held, path, mode: implied) {
          let stat = try folder.stat(path)
          namespace.note { $0.node(at: path)?.own?.record = FileRecord(stat) }
        }
      } catch {
        log.error("cannot make a directory again: \(error)")
      }
      return false
    }
    watch.forget(number)
    return true
  }
}
