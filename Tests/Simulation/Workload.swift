import Core
import Protocol

/// What people do: they copy in, change, rename, take back, read and decide.
extension World {
  func workloadStep() {
    guard let node = random.pick(nodes.filter(\.isRunning)) else { return }
    switch random.below(100) {
    case 0..<26: create(node)
    case 26..<30: duel()
    case 30..<38: changeContent(node)
    case 38..<50: renameSomething(node)
    case 50..<58: takeBack(node)
    case 58..<80: readSomething(node)
    case 80..<84: cancelSomething(node)
    case 84..<87: renameDevice(node)
    default: decide()
    }
    if random.chance(300) { decide(onlyWaiting: true) }
  }

  func newEntry(at path: SharePath, kind: EntryKind, isEmpty: Bool = false) -> Entry {
    let size: UInt64 =
      switch kind {
      case .file where isEmpty: 0
      case .directory: 0
      case .symlink: 1
      case .file:
        random.chance(100)
          ? 0
          : random.chance(150)
            ? UInt64(random.below(5 * Limits.leaf)) : UInt64(random.below(5_000))
      }
    return Entry(
      id: newID(), path: path, kind: kind, version: kind == .directory ? .zero : newID(),
      size: size, modified: FileTime(seconds: Int64(random.below(1_000_000))), mode: 0o644,
      target: kind == .symlink ? [0x78] : [])
  }

  /// A path of at most three parts from few names, so that members meet.
  private func somePath(_ node: Node) -> SharePath {
    var parent: SharePath?
    let directories =
      node.folder.sorted.filter { $0.kind == .directory }.map(\.path)
      + node.view.values.filter { $0.entry.kind == .directory }.map(\.entry.path)
      .sorted { $0.bytes.lexicographicallyPrecedes($1.bytes) }
    if random.chance(600) { parent = random.pick(directories.filter(isUsual)) }
    let name = [UInt8(ascii: "a") + UInt8(random.below(7))]
    do { return try SharePath(parent: parent, name: try Name(name)) } catch {
      preconditionFailure("the simulation's names are short")
    }
  }

  /// Whether honest members put something there: not where it is long or deep.
  private func isUsual(_ path: SharePath) -> Bool { path.depth < 3 && path.bytes.count < 40 }

  /// What a node's mount shows of others at a path.
  private func foreign(at path: SharePath, _ node: Node) -> ListedEntry? {
    node.view.values.filter { $0.entry.path == path }
      .min { ($0.claimed, $0.key) < ($1.claimed, $1.key) }
  }

  /// Whether all above `path` are, or can become, own directories; makes those that are missing.
  private func makeParents(of path: SharePath, _ node: Node) -> Bool {
    var missing: [SharePath] = []
    var ancestor = path.parent
    while let one = ancestor {
      if let own = node.folder.entry(at: one) {
        if own.kind != .directory { return false }
      } else if let other = foreign(at: one, node), other.entry.kind != .directory {
        return false
      } else {
        missing.append(one)
      }
      ancestor = one.parent
    }
    for one in missing.reversed() { share(newEntry(at: one, kind: .directory), node) }
    return missing.allSatisfy { node.folder.entry(at: $0)?.kind == .directory }
  }

  private func create(_ node: Node, at wanted: SharePath? = nil) {
    let path = wanted ?? somePath(node)
    let kind: EntryKind =
      random.chance(200) ? .directory : random.chance(80) ? .symlink : .file
    if let own = node.folder.entry(at: path) {
      if own.kind == .file, kind == .file { changeContent(node, own) }
      return
    }
    if let other = foreign(at: path, node) {
      guard other.entry.kind == .directory, kind == .directory else { return }
    }
    if kind != .directory, !node.folder.below(path).isEmpty { return }
    guard makeParents(of: path, node) else { return }
    let entry = newEntry(at: path, kind: kind)
    share(entry, node)
    if random.chance(600) { wait(for: entry.id, node) }
  }

  /// Several members claim one path at once.
  private func duel() {
    let fighters = nodes.filter(\.isRunning)
    guard let first = random.pick(fighters) else { return }
    let path = somePath(first)
    for node in fighters where node === first || random.chance(500) { create(node, at: path) }
  }

  private func changeContent(_ node: Node, _ known: Entry? = nil) {
    guard var entry = known ?? random.pick(node.folder.sorted.filter({ $0.kind == .file })) else {
      return
    }
    let fresh = newEntry(at: entry.path, kind: .file)
    entry.version = fresh.version
    entry.size = fresh.size
    share(entry, node)
    if random.chance(500) { wait(for: entry.id, node) }
  }

  func wait(for id: EntryID, _ node: Node, isProbe: Bool = false) {
    // It may have been refused already, and be gone.
    guard node.isRunning, let state = node.folder[id] else { return }
    let token = node.token()
    let deadline = now + (isProbe ? .seconds(20) : random.span(1_000...20_000))
    node.waits[token] = PendingWait(
      entry: id, state: state, deadline: deadline, isProbe: isProbe)
    statistics.waits += 1
    withMember(node) { $0.wait(for: id, token: token, deadline: deadline, into: &$1) }
  }

  private func renameSomething(_ node: Node) {
    guard let entry = random.pick(node.folder.sorted) else { return }
    let path = somePath(node)
    if path == entry.path || path.isBelow(entry.path) || entry.path.isBelow(path) { return }
    if let own = node.folder.entry(at: path) {
      if own.kind == .directory {
        guard entry.kind == .directory, node.folder.below(path).isEmpty else { return }
      } else if entry.kind == .directory {
        return
      }
    }
    if let other = foreign(at: path, node) {
      guard other.entry.kind == .directory, entry.kind == .directory else { return }
    }
    guard makeParents(of: path, node), node.folder[entry.id]?.path == entry.path else { return }
    rename(entry, to: path, node)
  }

  private func takeBack(_ node: Node) {
    guard let entry = random.pick(node.folder.sorted) else { return }
    if entry.kind == .directory, random.chance(500) { return }
    unshare(entry, node)
  }

  private func cancelSomething(_ node: Node) {
    if let token = random.pick(node.reads.keys.sorted()) {
      if !node.fetcher.cancel(token) { fail("read \(token) waits, but cannot be cancelled") }
      node.reads[token] = nil
    }
    if let token = random.pick(node.waits.keys.sorted()) {
      node.member.cancel(token)
      node.waits[token] = nil
    }
  }

  private func renameDevice(_ node: Node) {
    guard let name = DeviceName("device \(random.below(1_000))") else { return }
    note("node \(node.index) is called \(name)")
    withMember(node) { $0.rename(device: name, now: now, into: &$1) }
  }

  /// The person at the master app decides about somebody.
  private func decide(onlyWaiting: Bool = false) {
    let node = nodes[0]
    guard node.isRunning, let host = node.master else { return }
    let strangers = liars.filter(\.isStranger).map(\.key)
    let others = host.master.clients.values.sorted { $0.publicID < $1.publicID }
      .filter { !strangers.contains($0.key) }
    func pick(_ admission: Admission) -> PublicID? {
      random.pick(others.filter { $0.admission == admission }.map(\.publicID))
    }
    let publicID: PublicID?
    let approves: Bool
    switch onlyWaiting ? 0 : random.below(100) {
    case 0..<70: (publicID, approves) = (pick(.waiting), true)
    case 70..<88: (publicID, approves) = (pick(.disapproved), true)
    case 88..<98: (publicID, approves) = (pick(.approved), false)
    default: (publicID, approves) = (pick(.waiting), false)
    }
    guard let publicID else { return }
    lastFault = now
    guard let key = host.master.clients[publicID]?.key else { return }
    note("the master \(approves ? "approves" : "disapproves") \(publicID)")
    withMaster(node) { master, actions in
      let done =
        approves
        ? master.approve(publicID, into: &actions) : master.disapprove(publicID, into: &actions)
      if !done { fail("the master does not know \(publicID)") }
    }
    toldVerdicts.remove(key)
    // Where the master died in the middle of it, either may be what holds.
    decidedAt = now
    verdicts[key] = node.isRunning ? (approves ? .approved : .disapproved) : nil
  }
}
