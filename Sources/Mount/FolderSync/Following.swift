import CLinux
import Glibc
import Logging
import Protocol
import System

/// What is done where the own folder is no longer what the tree has. `group.drain` must
/// follow.
extension FolderSync {
  /// Puts something new into the tree and tells the group. Returns: its node.
  func add(_ held: borrowing NamesHeld, _ found: DiskEntry) -> InodeNumber {
    let record = found.record
    let known = files.knownEntry(record)
    let implied = found.kind == .directory ? folder.impliedMode(found.path) : nil
    let entry = Entry(
      id: known?.entry ?? RandomID.fresh(), path: found.path, kind: found.kind,
      version: found.kind == .directory ? .zero : known?.version ?? RandomID.fresh(),
      size: found.kind == .file ? UInt64(max(0, found.stat.size)) : 0,
      modified: found.stat.modified, mode: UInt16(implied ?? found.stat.permissions),
      target: found.target)
    files.beginLine(of: entry.id)
    let goesOn = known != nil && files.wasShared(found.path, found.stat)
    let (number, isIgnored) = namespace.changeAndTell { tree in
      let node = tree.putOwn(
        entry, owner: files.ownID, node: nil,
        attributes: Attributes(found.stat, implied: implied), now: .now)
      node.own?.impliedMode = implied
      node.own?.isAnnounced = true
      node.own?.record = record
      node.own?.isLineOlder = known?.version != nil
      if goesOn { files.goOnSharing(node, found.path) }
      files.tell(node, entry)
      return (node.number, node.own?.sharing == .ignored)
    }
    files.note(entry, record, isIgnored: isIgnored)
    files.showOtherNames(held, of: number)
    return number
  }

  /// Renews a node of the same kind that is not as it was. Throws: what keeps from looking at it.
  func renew(_ held: borrowing NamesHeld, _ number: InodeNumber, _ found: DiskEntry)
    throws(SystemError)
  {
    if found.kind == .file {
      // What changed is not known: it is a new version, and nothing that was read of it stays.
      if try files.announce(held, number, file: nil) {
        namespace.changeAndTell { $0.invalidations += [.attributes(number), .content(number)] }
      }
      return
    }
    let implied = found.kind == .directory ? folder.impliedMode(found.path) : nil
    let told = namespace.changeAndTell { tree -> Entry? in
      guard let node = tree[number], var entry = node.own == nil ? nil : node.entry else {
        return nil
      }
      entry.modified = found.stat.modified
      entry.mode = UInt16(implied ?? found.stat.permissions)
      entry.target = found.target
      if found.kind == .symlink { entry.version = RandomID.fresh() }
      tree.putOwn(
        entry, owner: files.ownID, node: node,
        attributes: Attributes(found.stat, implied: implied), now: .now)
      node.own?.impliedMode = implied
      node.own?.record = found.record
      node.own?.isAnnounced = true
      files.tell(node, entry)
      return node.own?.sharing == .ignored ? nil : entry
    }
    if let told { index.note(told, found.record) }
  }

  /// The own node whose file lies here now, and no longer where the tree has it.
  func origin(of found: DiskEntry) -> KnownState? {
    guard let id = index.lookup(found.record)?.entry else { return nil }
    let known = namespace.read { tree -> (KnownState, SharePath)? in
      guard let node = tree.node(of: id), let known = KnownState(node), known.id == id,
        let path = tree.path(of: node)
      else { return nil }
      return (known, path)
    }
    guard let (known, path) = known, known.kind == found.kind, !known.isStaged, path != found.path,
      known.record?.isSameFile(found.record) ?? false
    else { return nil }
    // It has another name as well (a hard link), and was not moved.
    if let there = try? folder.stat(path), FileRecord(there).isSameFile(found.record) { return nil }
    return known
  }

  /// What lies here was moved here in the own folder: one change for the group, with all that is
  /// below it. Returns: its node; nil where it was not moved, or must be told as something new.
  func followMove(_ held: borrowing NamesHeld, _ found: DiskEntry) throws(SystemError)
    -> InodeNumber?
  {
    guard let origin = origin(of: found) else { return nil }
    let old = namespace.changeAndTell { tree -> SharePath? in
      guard let node = tree[origin.number], let old = tree.path(of: node),
        let directory = found.path.parent.map({ tree.node(at: $0) }) ?? tree.root,
        directory.kind == .directory, directory.children[found.path.name] == nil,
        !found.path.isBelow(old), tree.isOwnOnly(node),
        // What cannot be listed there must not keep the rest from it.
        tree.fits(origin.number, at: found.path),
        tree.keepsLinksInside(origin.number, at: found.path)
      else { return nil }
      tree.move(node, to: directory, found.path.name, now: .now)
      files.tellMoved(node, from: old, to: found.path)
      return old
    }
    guard let old else {
      files.forgetOwn(held, origin.number)
      return nil
    }
    do throws(SystemError) { try folder.movedPlaces(held, below: old, to: found.path) } catch {
      log.error("cannot keep where things are listed that are shared in place: \(error)")
    }
    files.releaseImplied(held, old.parent)
    // Its own time of change is another now; a file may also have been written before it was moved.
    try renew(held, origin.number, found)
    files.lookAgainAtOccupied(below: origin.number)
    return origin.number
  }

  /// Something was put into the own folder at a path at which something else is shared in place: it
  /// is kept beside it.
  func keepOutOfTheWay(
    _ held: borrowing NamesHeld,
    _ path: SharePath, _ stat: Stat, in directory: OpenDirectory
  ) -> Below? {
    guard let aside = files.freeConflictPath(held, path, isFolder: stat.isDirectory) else {
      log.error(
        "not shared: something is shared in place at its path, and no other name for it fits",
        metadata: ["path": "\(path.shown)"])
      return nil
    }
    let failed =
      clinux_renameat2(
        directory.file.raw, path.name.bytes.cPath, directory.file.raw, aside.name.bytes.cPath,
        clinux_rename_noreplace) != 0
    if failed {
      log.error("cannot rename a file that lies in the way: \(SystemError("\(path.shown)"))")
      return nil
    }
    log.warning(
      "kept a file beside what is shared in place at its path",
      metadata: ["path": "\(path.shown)", "now": "\(aside.shown)"])
    return reconcile(held, aside.name, in: directory, isFinished: true)
  }
}
