import Glibc
import Protocol
import System

/// Finding and changing one's own places in the tree.
extension OwnFiles {
  func place(_ parent: InodeNumber, _ name: [UInt8]) throws(SystemError) -> FreePlace {
    if name.count > Limits.name { throw SystemError(code: ENAMETOOLONG, call: "name") }
    guard let name = try? Name(name) else { throw SystemError(code: EINVAL, call: "name") }
    if parent == Node.rootNumber, name.bytes == OwnFolder.stagingName {
      throw SystemError(code: EPERM, call: "the name of the staging folder")
    }
    if let occupied = namespace.read({ $0[parent]?.occupied }) {
      throw SystemError(code: occupied.codeBelow, call: "a directory that is not shared")
    }
    let found = namespace.read { tree -> FreePlace?? in
      guard let directory = tree[parent], directory.kind == .directory, directory.isLinked else {
        return nil
      }
      guard let path = try? SharePath(parent: tree.path(of: directory), name: name) else {
        return .some(nil)
      }
      return FreePlace(
        path: path, unclaimed: tree.unclaimed(directory).compactMap { tree.path(of: $0) })
    }
    guard let found else { throw SystemError(code: ENOENT, call: "directory") }
    guard let place = found else { throw SystemError(code: ENAMETOOLONG, call: "path") }
    // Others may have a directory of that name.
    if place.path.names[0].bytes == OwnFolder.stagingName {
      throw SystemError(code: EPERM, call: "the name of the staging folder")
    }
    return place
  }

  /// A place where nothing is. Throws: EEXIST where something of one's own lies, shared or not,
  /// EPERM for others'; ENOTDIR and the like where what is not shared of the own folder lies where
  /// a directory above would have to be.
  func freePlace(_ held: borrowing NamesHeld, _ parent: InodeNumber, _ name: [UInt8])
    throws(SystemError) -> FreePlace
  {
    let place = try place(parent, name)
    try folder.checkMayChange(place.path)
    let (taken, inTheWay) = namespace.read { tree -> (Bool?, Occupied?) in
      let node = tree[parent]?.children[place.path.name]?.node
      let above = place.unclaimed.compactMap { tree.slot(at: $0)?.occupied }
      return (node.map { $0.own != nil || $0.occupied != nil }, above.first)
    }
    if let isOwn = taken { throw SystemError(code: isOwn ? EEXIST : EPERM, call: "name") }
    if let inTheWay {
      throw SystemError(code: inTheWay.codeBelow, call: "a directory in the own folder")
    }
    return place
  }

  /// What lies at a name, if it is one's own; EPERM if it is not.
  func ownPlace(_ parent: InodeNumber, _ name: [UInt8]) throws(SystemError) -> OwnPlace {
    let path = try place(parent, name).path
    let found = namespace.read { tree -> OwnPlace?? in
      guard let node = tree[parent]?.children[path.name]?.node else { return nil }
      return OwnPlace(node, tree)
    }
    guard let found else { throw SystemError(code: ENOENT, call: "name") }
    guard let own = found else { throw SystemError(code: EPERM, call: "somebody else's entry") }
    return own
  }

  /// Whether nobody else has anything at or below it. Complexity: O(nodes below it).
  func isOwnOnly(_ own: OwnPlace) -> Bool {
    namespace.read { tree in tree[own.number].map { tree.isOwnOnly($0) } ?? false }
  }

  /// What a file was announced as, if no other path has that entry now: two names of one file (hard
  /// links) are two entries, and the number of a file that is gone is given to another one.
  func knownEntry(_ record: FileRecord) -> (entry: EntryID, version: Version?)? {
    guard let known = index.lookup(record), namespace.read({ $0.node(of: known.entry) == nil })
    else { return nil }
    return known
  }

  /// Puts a directory or symlink that now lies in the own folder into the tree, and announces it.
  /// `implied`: of a directory that is there because something is put into it, the mode that it
  /// had. `isAsked`: whether the kernel is told of it. Returns: nil, and nothing is done, where the
  /// kernel asks and somebody else's came to the name since that was found free (two directories
  /// merge): told of a directory in place of a symlink, the kernel would answer EIO.
  @discardableResult
  func addOwn(
    _ held: borrowing NamesHeld,
    _ path: SharePath, _ stat: Stat, target: [UInt8] = [], implied: UInt32? = nil,
    isAsked: Bool = true
  ) -> EntryReply? {
    let record = FileRecord(stat)
    let known = knownEntry(record)
    let kind: EntryKind = stat.isDirectory ? .directory : .symlink
    let entry = Entry(
      id: known?.entry ?? RandomID.fresh(), path: path, kind: kind,
      version: kind == .directory ? .zero : known?.version ?? RandomID.fresh(), size: 0,
      modified: stat.modified, mode: UInt16(implied ?? stat.permissions), target: target)
    beginLine(of: entry.id)
    let added = namespace.change { tree -> (reply: EntryReply, isIgnored: Bool)? in
      if isAsked, let there = tree.slot(at: path)?.node,
        kind != .directory || there.kind != .directory
      {
        return nil
      }
      let node = tree.putOwn(
        entry, owner: ownID, node: nil,
        attributes: Attributes(stat, implied: implied), now: .now)
      node.own?.isAnnounced = true
      node.own?.record = record
      node.own?.impliedMode = implied
      node.own?.isLineOlder = known?.version != nil
      tell(node, entry)
      if isAsked { tree.remember(node) }
      return (EntryReply(node), node.own?.sharing == .ignored)
    }
    guard let added else { return nil }
    note(entry, record, isIgnored: added.isIgnored)
    return added.reply
  }

  /// Takes an own entry out of the tree and back from the group. `remains`: its file, for who has
  /// it still.
  func removeOwn(
    _ held: borrowing NamesHeld,
    _ own: OwnPlace, _ remains: OwnedDescriptor?, _ parent: InodeNumber, _ name: [UInt8]
  ) {
    namespace.change { tree in
      tree[own.number]?.own?.remains = remains
      tree.remove(own.id, now: .now)
      group.unshare(own.id)
      beginLine(of: own.id)
    } tellingIf: { tree in
      // Somebody else's claim may show now where the kernel believes nothing to be.
      (try? Name(name)).map { tree[parent]?.children[$0] != nil } ?? false
    }
  }

  /// Checks that an own target may be replaced by the source, as of rename(2).
  func giveWay(_ target: OwnPlace, to source: OwnPlace) throws(SystemError) {
    if target.kind == .directory {
      if source.kind != .directory { throw SystemError(code: EISDIR, call: "rename") }
      if !target.isEmpty { throw SystemError(code: ENOTEMPTY, call: "rename") }
      if !isOwnOnly(target) { throw SystemError(code: EPERM, call: "rename") }
    } else if source.kind == .directory {
      throw SystemError(code: ENOTDIR, call: "rename")
    }
  }

  /// Moves a node in the tree and tells the group, as one change. `remains`: the target's file, for
  /// who has it still.
  func move(
    _ held: borrowing NamesHeld, _ source: OwnPlace, to newParent: InodeNumber, _ newName: [UInt8],
    _ path: SharePath,
    replacing target: OwnPlace?, _ remains: OwnedDescriptor?
  ) {
    namespace.change { tree in
      let order = target.flatMap { tree[$0.number]?.order }
      if let target {
        tree[target.number]?.own?.remains = remains
        tree.remove(target.id, now: .now)
        beginLine(of: target.id)
      }
      guard let node = tree[source.number], let directory = tree[newParent],
        let name = try? Name(newName)
      else { return }
      tree.move(node, to: directory, name, order: order, now: .now)
      node.own?.staged = nil
      if target?.kind == .directory { group.unshare(target!.id) }
      tellMoved(node, from: source.path, to: path, replacing: target?.id)
    }
  }

  /// A change of ours is about to alter the file's ctime: until it is recorded nobody is served.
  /// `stat`: what the file is like before; nil for one that only we know. Returns: whether the tree
  /// knows it so, for `endOperation`.
  func beginOperation(_ number: InodeNumber, _ stat: Stat?) -> Bool {
    namespace.note { tree in
      guard let node = tree[number], let own = node.own else { return false }
      node.own!.operations += 1
      // The times of a directory move with what is put into it.
      guard let stat, node.kind != .directory, let record = own.record else { return true }
      return record == FileRecord(stat)
    }
  }

  /// Records the ctime that our own change left behind: it is no new version.
  func endOperation(_ number: InodeNumber, path: SharePath, wasKnown: Bool) {
    endOperation(number, try? folder.stat(path), wasKnown: wasKnown)
  }

  /// The same, with what the file is like now; nil where that could not be found out. What was
  /// changed past the mount before or meanwhile is not covered by it, and looked at: with our
  /// record of it nobody would ever see it.
  func endOperation(_ number: InodeNumber, _ stat: Stat?, wasKnown: Bool) {
    enum Left {
      case known(Entry, FileRecord)
      case unknown
      case nothing
    }
    let left = namespace.change { tree -> Left in
      guard let node = tree[number], node.own != nil else { return .nothing }
      node.own!.operations -= 1
      if let stat { node.attributes.changed = max(node.attributes.changed, stat.changed) }
      guard let stat, let old = node.own!.record, let entry = node.entry, old.inode == stat.ino
      else { return .nothing }
      guard wasKnown, node.isAsShown(stat, old) else { return .unknown }
      node.own!.renewRecord(FileRecord(stat))
      if node.own!.sharing == .ignored { return .nothing }
      return .known(entry, FileRecord(stat))
    }
    switch left {
    case .known(let entry, let record): index.note(entry, record)
    case .unknown: rescans.lookAgain(at: number, isFinished: true)
    case .nothing: break
    }
  }
}

extension Node {
  /// Whether nothing but what we know of was changed, as far as `stat` shows that. `record`: of
  /// when it was known last.
  fileprivate func isAsShown(_ stat: Stat, _ record: FileRecord) -> Bool {
    let mode = own?.impliedMode ?? stat.permissions
    guard attributes.mode == mode, attributes.user == stat.uid, attributes.group == stat.gid else {
      return false
    }
    // The times of a directory move with what is put into it; those of all else may be set by us.
    return kind == .directory
      || record.size == stat.size
        && (record.modified == stat.modified || attributes.modified == stat.modified)
  }
}
