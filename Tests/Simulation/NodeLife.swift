import Core
import DequeModule
import Protocol

/// How the process of a node begins and ends.
extension World {
  func start(_ node: Node) {
    guard !node.isRunning, !node.isDeparted else { return }
    note("node \(node.index) starts")
    changeWhileAway(node)
    let isFirst = node.incarnation == 0
    node.isRunning = true
    node.incarnation += 1 + random.next() % 1_000
    node.isScanning = random.chance(300)
    node.member = Member(
      isMaster: node.isMaster, incarnation: node.incarnation, settings: memberSettings,
      ownIsWhole: !node.isScanning, hash: SimulatedHash.hash)
    node.fetcher = ChunkFetcher(settings: fetcherSettings)
    node.lines = NodeLines()
    node.generation = 0
    node.view = [:]
    node.comparedAt = nil
    node.tickAt = nil
    node.backOff = 0
    if node.isScanning {
      note("node \(node.index) goes through its folder")
      shareFound(node, atMost: random.below(node.folder.count + 1))
      events.put(
        .nodeHasScanned(node.index, node.incarnation), at: now + random.span(1...3_000))
    } else {
      shareFound(node)
    }
    if let host = node.master {
      if !isFirst { restoreMaster(host) }
      withMember(node) { $0.adopt(host.master.replica, now: now, into: &$1) }
    } else {
      restoreList(node)
    }
    events.put(.nodeConnects(node.index), at: now + random.span(1...300))
  }

  /// Shares what the folder has; again is no harm.
  private func shareFound(_ node: Node, atMost limit: Int = .max) {
    for entry in node.folder.sorted.prefix(limit) {
      withMember(node) { $0.share(entry, now: now, into: &$1) }
    }
  }

  /// Somebody asks for something of the folder: that is looked at before anything is done to it.
  private func find(_ node: Node) {
    if node.isRunning, node.isScanning { shareFound(node) }
  }

  func hasScanned(_ node: Node) {
    guard node.isRunning, node.isScanning else { return }
    note("node \(node.index) has been through its folder")
    shareFound(node)
    node.isScanning = false
    withMember(node) { $0.ownBecameWhole(now: now, into: &$1) }
  }

  /// What the disk has of the list: all of it, only what an earlier state of the file says, or
  /// nothing.
  private func restoreList(_ node: Node) {
    guard var kept = node.keptList, !random.chance(200) else {
      node.keptList = nil
      return
    }
    if random.chance(300) { kept.groups.removeLast(random.below(kept.groups.count)) }
    if !kept.groups[0].items.isEmpty, sabotages(.forgetKept) { kept.groups[0].items.removeLast() }
    kept.step = 0
    node.keptList = kept
    let replica = kept.replica(groups: kept.groups.count)
    note(
      "node \(node.index) knows \(replica.replica.list.count) entries at \(replica.cursor.order)")
    statistics.keptLists += 1
    withMember(node) { $0.restore(replica, now: now, into: &$1) }
  }

  /// The process ends; `cleanly`: it says LEAVE first.
  func stop(_ node: Node, cleanly: Bool) {
    guard node.isRunning else { return }
    lastFault = now
    note("node \(node.index) \(cleanly ? "leaves" : "dies")")
    if cleanly { up(.leave, from: node) }
    node.isRunning = false
    endLines(ofDead: node)
    node.actions.removeAll()
    node.waits = [:]
    node.reads = [:]
    node.streams = [:]
    node.bulkIsOpen = false
    node.tickAt = nil
    node.master?.hubIsReady = false
    node.master?.parts = []
    node.master?.crashNext = nil
    guard let session = node.session, let connection = connections[session] else { return }
    node.session = nil
    if cleanly, !connection.isCut {
      connection.nodeIsOpen = false
      events.put(.hubSeesEnd(session), at: connection.lastUp + .milliseconds(1))
    } else {
      cut(connection)
    }
  }

  /// Puts many files with long names into a folder, so that a list of them takes several pages.
  func fill(_ node: Node, entries: Int) {
    for number in 0..<entries {
      let name = Array("\(node.index)-\(number)-".utf8) + [UInt8](repeating: 0x6c, count: 180)
      guard let path = try? SharePath(name) else { return }
      share(newEntry(at: path, kind: .file, isEmpty: true), node)
    }
  }

  /// Shares what the folder has at a path and above it, new or changed.
  func share(_ entry: Entry, _ node: Node) {
    find(node)
    node.folder.put(entry)
    if entry.kind != .directory { contents.note(entry.version, size: entry.size) }
    guard node.isRunning else { return }
    note("node \(node.index) shares \(text(entry.path)) (\(entry.kind), \(entry.size) bytes)")
    withMember(node) { $0.share(entry, now: now, into: &$1) }
  }

  /// Takes an entry and all below it off the folder.
  func unshare(_ entry: Entry, _ node: Node) {
    find(node)
    for one in node.folder.below(entry.path).reversed() + [entry] {
      node.folder.remove(one.id)
      guard node.isRunning else { continue }
      note("node \(node.index) unshares \(text(one.path))")
      withMember(node) { $0.unshare(one.id, now: now, into: &$1) }
    }
  }

  /// Where an entry goes whose path is somebody else's.
  private func conflictPath(of path: SharePath, atRoot: Bool, _ node: Node) -> SharePath {
    let suffix = Array("~\(node.index).\(node.token())".utf8)
    // A conflict of a conflict keeps one suffix, so that names stay short.
    let plain = path.name.bytes.prefix { $0 != UInt8(ascii: "~") }
    do {
      return try SharePath(parent: atRoot ? nil : path.parent, name: try Name(plain + suffix))
    } catch {
      preconditionFailure("the simulation's names are short")
    }
  }

  /// The master did not take an entry: it is dropped, or kept and shared under a conflict name.
  func refused(_ entry: Entry, _ reason: Rejection, _ node: Node) {
    statistics.refusals += 1
    checkRefusal(reason, node)
    note("node \(node.index) is refused \(text(entry.path)): \(reason)")
    guard let known = node.folder[entry.id] else { return }
    guard known.path == entry.path else {
      // It was moved meanwhile: announced again where it is.
      for one in [known] + node.folder.below(known.path) { share(one, node) }
      return
    }
    if random.chance(300) || reason == .listFull { return unshare(known, node) }
    let path = conflictPath(of: entry.path, atRoot: reason == .notADirectory, node)
    guard node.folder.move(entry.id, to: path) else { return unshare(known, node) }
    for moved in [node.folder[entry.id]!] + node.folder.below(path) { share(moved, node) }
  }

  /// The master did not take a rename: it ends under a conflict name.
  func renameRefused(_ entry: Entry, _ reason: Rejection, _ node: Node) {
    statistics.refusals += 1
    checkRefusal(reason, node)
    note("node \(node.index) may not rename to \(text(entry.path)): \(reason)")
    guard let known = node.folder[entry.id], known.path == entry.path else { return }
    let path = conflictPath(of: entry.path, atRoot: reason == .notADirectory, node)
    rename(known, to: path, node)
  }

  /// Renames an own entry and all below it.
  func rename(_ entry: Entry, to path: SharePath, _ node: Node) {
    find(node)
    guard node.folder.move(entry.id, to: path), node.isRunning else { return }
    note("node \(node.index) renames \(text(entry.path)) to \(text(path))")
    withMember(node) { $0.rename(entry.id, to: path, now: now, into: &$1) }
  }
}
