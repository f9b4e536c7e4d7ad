import Glibc
import Logging
import Protocol
import System

/// Names of the own folder that are there and not shared.
extension OwnFiles {
  /// Shows a name to its owner as taken, and says once why it is not shared; `group.drain` must
  /// follow. `known`: what the tree has there, which is taken back.
  func occupy(
    _ held: borrowing NamesHeld, _ directory: InodeNumber, _ name: Name, _ occupied: Occupied,
    _ known: KnownState?
  ) {
    if let known {
      if known.isStaged { return }
      forgetOwn(held, known.number)
    }
    let path = namespace.changeAndTell { tree -> [UInt8]? in
      guard let node = tree[directory], node.kind == .directory, node.occupied == nil,
        tree.occupy(node, name, occupied, now: .now)
      else { return nil }
      return (tree.path(of: node).map { $0.bytes + [0x2f] } ?? []) + name.bytes
    }
    guard let path else { return }
    budget.log(
      .warning, "what is not shared", "not shared: \(occupied.reason.words)",
      metadata: ["path": "\(String(decoding: path, as: UTF8.self))"])
  }

  /// Nothing lies at a name any more that is not shared.
  func vacate(_ held: borrowing NamesHeld, _ directory: InodeNumber, _ name: Name) {
    let isOccupied = namespace.read { $0[directory]?.children[name]?.occupied != nil }
    guard isOccupied else { return }
    namespace.changeAndTell { tree in
      if let node = tree[directory] { tree.vacate(node, name, now: .now) }
    }
  }

  /// What lies where an own node was and cannot be shared there: taken back from the group, and
  /// occupied from now on.
  func occupy(_ held: borrowing NamesHeld, _ number: InodeNumber, _ reason: OccupiedReason) {
    let place = namespace.read { tree -> (InodeNumber, Name, SharePath, KnownState)? in
      guard let node = tree[number], let parent = node.parent, let name = node.name,
        let path = tree.path(of: node), let known = KnownState(node)
      else { return nil }
      return (parent.number, name, path, known)
    }
    guard let (directory, name, path, known) = place else { return }
    do throws(SystemError) {
      let stat = try folder.stat(path)
      let target = stat.isSymlink ? try folder.linkTarget(path) : []
      occupy(held, directory, name, Occupied(reason, stat, target: target), known)
    } catch {
      forgetOwn(held, number)
      rescans.add(.name(directory, name), isFinished: true)
    }
  }

  /// Has all names below a directory looked at again whose place may matter: they have moved.
  func lookAgainAtOccupied(below number: InodeNumber) {
    let names = namespace.read { tree in
      tree[number].map { tree.occupiedNames(below: $0, matching: \.dependsOnPath) } ?? []
    }
    if names.isEmpty { return }
    rescans.add(names.map { .name($0.directory, $0.name) }, isFinished: true)
    rescans.wake()
  }

  /// Takes what is not shared away, for unlink(2) and rmdir(2). Returns: false where no such thing
  /// shows. Throws: as these do on the own folder, EBUSY where something is mounted there.
  func removeOccupied(
    _ held: borrowing NamesHeld,
    _ parent: InodeNumber, _ name: [UInt8], isDirectory: Bool
  ) throws(SystemError) -> Bool {
    guard let name = try? Name(name) else { return false }
    let found = namespace.read { tree -> (Occupied, SharePath?)? in
      guard let node = tree[parent], let occupied = node.children[name]?.node.occupied else {
        return nil
      }
      return (occupied, tree.path(of: node))
    }
    guard let (occupied, directory) = found else { return false }
    let isFolder = occupied.attributes.kind == .directory
    if isFolder != isDirectory {
      throw SystemError(code: isFolder ? EISDIR : ENOTDIR, call: "remove what is not shared")
    }
    try folder.remove(held, name, in: directory, flags: isDirectory ? AT_REMOVEDIR : 0)
    namespace.change { tree in
      if let node = tree[parent] { tree.vacate(node, name, now: .now) }
    }
    releaseImplied(held, directory)
    return true
  }

  /// Gives what is not shared other attributes: that may be what lets it be shared. nil where the
  /// node is no such thing. Throws: the reason's errno for another size.
  func changeOccupied(
    _ held: borrowing NamesHeld,
    _ number: InodeNumber, _ wanted: AttributeChange, for caller: Caller
  ) throws(SystemError) -> EntryReply? {
    let found = namespace.read { tree -> (Occupied, InodeNumber, SharePath?, Name)? in
      guard let node = tree[number], let occupied = node.occupied, let parent = node.parent,
        let name = node.name
      else { return nil }
      return (occupied, parent.number, tree.path(of: parent), name)
    }
    guard let (occupied, parent, directory, name) = found else { return nil }
    if wanted.size != nil { throw SystemError(code: occupied.reason.code, call: "truncate") }
    let file = try folder.reach(name, in: directory)
    try wanted.apply(to: file, for: caller) { () throws(SystemError) in file }
    let stat = try Stat(descriptor: file.raw)
    rescans.add(.name(parent, name), isFinished: true)
    rescans.wake()
    return namespace.change { tree in
      guard let node = tree[number], node.occupied != nil else { return nil }
      node.attributes = Attributes(stat)
      return EntryReply(node)
    }
  }
}
