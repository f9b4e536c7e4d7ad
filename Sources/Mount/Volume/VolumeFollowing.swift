import CLinux
import Glibc
import Logging
import Protocol
import System

/// What is done where the own folder is no longer what the tree has. Namespace lock held;
/// `group.drain` must follow.
extension Volume {
  /// Puts something new into the tree and tells the group. Returns: its node.
  func add(_ found: Found) -> InodeNumber {
    let record = found.record
    let known = knownEntry(record)
    let implied = found.kind == .directory ? folder.impliedMode(found.path) : nil
    let entry = Entry(
      id: known?.entry ?? newID(), path: found.path, kind: found.kind,
      version: found.kind == .directory ? .zero : known?.version ?? newID(),
      size: found.kind == .file ? UInt64(max(0, found.stat.size)) : 0,
      modified: found.stat.modified, mode: UInt16(implied ?? found.stat.permissions),
      target: found.target)
    index.note(entry.id, entry.version, record)
    sent.withLock { $0.begin(entry.id) }
    let number = changeTreeAndTell { tree in
      let node = tree.putOwn(
        entry, owner: ownID.withLock { $0 }, node: nil,
        attributes: Attributes(found.stat, implied: implied), now: .now)
      node.own?.impliedMode = implied
      node.own?.isAnnounced = true
      node.own?.record = record
      node.own?.isLineOlder = known?.version != nil
      tell(entry)
      return node.number
    }
    showOtherNames(of: number)
    return number
  }

  /// What a file was announced as, if no other path has that entry now: two names of one file (hard
  /// links) are two entries, and the number of a file that is gone is given to another one.
  func knownEntry(_ record: FileRecord) -> (entry: EntryID, version: Version?)? {
    guard let known = index.lookup(record), tree.withLock({ $0.node(of: known.entry) == nil })
    else { return nil }
    return known
  }

  /// Renews a node of the same kind that is not as it was. Throws: what keeps from looking at it.
  func renew(_ number: InodeNumber, _ found: Found) throws(SystemError) {
    if found.kind == .file {
      // What changed is not known: it is a new version, and nothing that was read of it stays.
      if try announce(number, file: nil) { notifier.add([.attributes(number), .content(number)]) }
      return
    }
    let version = found.kind == .directory ? Version.zero : newID()
    let implied = found.kind == .directory ? folder.impliedMode(found.path) : nil
    let id = changeTreeAndTell { tree -> EntryID? in
      guard let node = tree[number], var entry = node.own == nil ? nil : node.entry else {
        return nil
      }
      entry.modified = found.stat.modified
      entry.mode = UInt16(implied ?? found.stat.permissions)
      entry.target = found.target
      if found.kind == .symlink { entry.version = version }
      tree.putOwn(
        entry, owner: ownID.withLock { $0 }, node: node,
        attributes: Attributes(found.stat, implied: implied), now: .now)
      node.own?.impliedMode = implied
      node.own?.record = found.record
      node.own?.isAnnounced = true
      tell(entry)
      return entry.id
    }
    if let id { index.note(id, version, found.record) }
  }

  /// The own node whose file lies here now, and no longer where the tree has it.
  func origin(of found: Found) -> Sight? {
    guard let id = index.lookup(found.record)?.entry else { return nil }
    let known = tree.withLock { tree -> (Sight, SharePath)? in
      guard let node = tree.node(of: id), let sight = Self.sight(node), sight.id == id,
        let path = tree.path(of: node)
      else { return nil }
      return (sight, path)
    }
    guard let (sight, path) = known, sight.kind == found.kind, !sight.isStaged, path != found.path,
      sight.record?.isSameFile(found.record) ?? false
    else { return nil }
    // It has another name as well (a hard link), and was not moved.
    if let there = try? folder.stat(path), FileRecord(there).isSameFile(found.record) { return nil }
    return sight
  }

  /// What lies here was moved here in the own folder: one change for the group, with all that is
  /// below it. Returns: its node; nil where it was not moved, or must be told as something new.
  func followMove(_ found: Found) throws(SystemError) -> InodeNumber? {
    guard let origin = origin(of: found) else { return nil }
    let old = changeTreeAndTell { tree -> SharePath? in
      guard let node = tree[origin.number], let old = tree.path(of: node),
        let directory = found.path.parent.map({ tree.node(at: $0) }) ?? tree.root,
        directory.kind == .directory, directory.children[found.path.name] == nil,
        !found.path.isBelow(old), tree.isOwnOnly(node),
        // What cannot be listed there must not keep the rest from it.
        tree.fits(origin.number, at: found.path),
        tree.keepsLinksInside(origin.number, at: found.path)
      else { return nil }
      tree.move(node, to: directory, found.path.name, now: .now)
      group.rename(origin.id, to: found.path)
      return old
    }
    guard let old else {
      forgetOwn(origin.number)
      return nil
    }
    do throws(SystemError) { try folder.movedPlaces(below: old, to: found.path) } catch {
      log.error("cannot keep where things are listed that are shared in place: \(error)")
    }
    releaseImplied(old.parent)
    // Its own time of change is another now; a file may also have been written before it was moved.
    try renew(origin.number, found)
    lookAgainAtOccupied(below: origin.number)
    return origin.number
  }

  /// Takes an own node, and what is below it, out of the tree and back from the group. What is
  /// being copied in there stays, and so does what is shared in place from somewhere else.
  func forgetOwn(_ number: InodeNumber) {
    let hasPlaces = !folder.sharedPlaces.isEmpty
    var parent: SharePath?
    let directories = changeTreeAndTell { tree -> [InodeNumber] in
      guard let top = tree[number] else { return [] }
      parent = tree.path(of: top)?.parent
      var gone: [Node] = []
      collect(top, isTop: true, hasPlaces, tree, &gone)
      for one in tree.occupiedNames(below: top) {
        if let node = tree[one.directory] {
          tree.vacate(node, one.name, now: .now)
        }
      }
      for node in gone {
        guard let id = node.own?.id else { continue }
        tree.remove(id, now: .now)
        group.unshare(id)
        sent.withLock { $0.begin(id) }
      }
      return gone.filter { $0.kind == .directory }.map(\.number)
    }
    for directory in directories {
      watch.forget(directory)
      _ = looks.withLock { $0.met(directory) }
    }
    releaseImplied(parent)
  }

  /// Own nodes, what lies in a directory before the directory itself.
  private func collect(
    _ node: Node, isTop: Bool, _ hasPlaces: Bool, _ tree: Tree, _ gone: inout [Node]
  ) {
    if hasPlaces, !isTop, let path = tree.path(of: node), folder.place(at: path) != nil { return }
    for slot in node.children.own.values {
      collect(slot.node, isTop: false, hasPlaces, tree, &gone)
    }
    if let own = node.own, own.staged == nil { gone.append(node) }
  }

  /// Something was put into the own folder at a path at which something else is shared in place: it
  /// is kept beside it.
  func keepOutOfTheWay(
    _ path: SharePath, _ stat: Stat, in directory: OpenDirectory
  ) -> Below? {
    guard let aside = freeConflictPath(path, isFolder: stat.isDirectory) else {
      log.error(
        "not shared: something is shared in place at its path, and no other name for it fits",
        metadata: ["path": "\(shown(path))"])
      return nil
    }
    let failed =
      clinux_renameat2(
        directory.file.raw, path.name.bytes.cPath, directory.file.raw, aside.name.bytes.cPath,
        clinux_rename_noreplace) != 0
    if failed {
      log.error("cannot rename a file that lies in the way: \(SystemError("\(shown(path))"))")
      return nil
    }
    log.warning(
      "kept a file beside what is shared in place at its path",
      metadata: ["path": "\(shown(path))", "now": "\(shown(aside))"])
    return look(at: aside.name, in: directory, isFinished: true)
  }
}
