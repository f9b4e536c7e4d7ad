import Core
import Logging
import Protocol
import System

/// What of one's own is not told of, by the owner's patterns. It is one's own in all else.
///
/// Whether that is so is decided when an entry would be told for the first time, and again when it
/// gets another name; a pattern alone takes nothing back. `group.drain` must follow.
extension OwnFiles {
  /// Whether an own node is kept from the group. With the namespace locked.
  func isIgnored(_ node: Node, _ path: SharePath, isDirectory: Bool) -> Bool {
    switch node.own?.sharing {
    case .told?, nil: return false
    case .ignored?: return true
    case .undecided?:
      let isIgnored = ignoring.match(path, isDirectory: isDirectory) != nil
      if isIgnored {
        ignore(node)
      } else {
        node.own?.sharing = .told
        notePrivate(node, path)
      }
      return isIgnored
    }
  }

  /// Says once, of the first thing that is told though its mode, or that of the folder that it lies
  /// in, keeps it from other users here, that this is so. With the namespace locked.
  private func notePrivate(_ node: Node, _ path: SharePath) {
    func isPrivate(_ node: Node) -> Bool { node.attributes.mode & 0o077 == 0 }
    let isClosed = node.parent.map { $0.number != Node.rootNumber && isPrivate($0) } ?? false
    guard isClosed || node.kind == .file && isPrivate(node),
      owesPrivateNotice.withLock({ owed in
        defer { owed = false }
        return owed
      })
    else { return }
    disk.run { [log, settings] in
      log.warning(
        """
        shared, though on this machine only its owner may read it: modes keep nothing from the \
        group. A pattern in .fsharefsignore does; this is said once
        """,
        metadata: ["path": "\(path.shown)"])
      settings.saidPrivate?()
    }
  }

  /// Whether what is found when the own folder is looked at first was told of by an earlier
  /// process, under the same name, so that a pattern does not keep it from being shared. Blocks on
  /// the disk where there is one.
  func wasShared(_ path: SharePath, _ stat: Stat) -> Bool {
    let record = FileRecord(stat)
    guard rescans.isStarting, let known = index.sharedSince(record, as: path.name) else {
      return false
    }
    if ignoring.match(path, isDirectory: stat.isDirectory) == nil { return true }
    // The number of one that is gone may have been given to it.
    guard let born = folder.birth(of: path) else { return index.lookup(record)?.version != nil }
    return born <= known
  }

  /// It goes on to be shared. With the namespace locked.
  func goOnSharing(_ node: Node, _ path: SharePath) {
    // What lies in a folder that is not told of is not either.
    if node.parent?.own?.sharing == .ignored { return }
    node.own?.sharing = .told
    notePrivate(node, path)
  }

  /// Notes what a file was announced as, for the next process; nothing of one that is not told of.
  func note(_ entry: Entry, _ record: FileRecord, isIgnored: Bool) {
    if isIgnored { index.forget(record) } else { index.note(entry, record) }
  }

  private func ignore(_ node: Node) {
    node.own?.sharing = .ignored
    if let parent = node.parent?.number { ignoredIn.withLock { _ = $0.insert(parent) } }
  }

  /// Looks whether there are other patterns, and tells of what none is about any more.
  func refreshIgnored(_ held: borrowing NamesHeld) {
    guard ignoring.refresh(held) else { return }
    let directories = ignoredIn.withLock { set in
      defer { set = [] }
      return set
    }
    namespace.change { tree in
      // A folder before what is in it.
      let found = directories.compactMap { tree[$0] }.filter { $0.isLinked || $0.parent == nil }
        .map { ($0, tree.path(of: $0)?.bytes ?? []) }
      for (directory, _) in found.sorted(by: { $0.1.lexicographicallyPrecedes($1.1) }) {
        var isLeft = false
        for node in Self.ownChildren(of: directory) where node.own?.sharing == .ignored {
          shareAgain(node)
          isLeft = isLeft || node.own?.sharing == .ignored
        }
        if isLeft { ignoredIn.withLock { _ = $0.insert(directory.number) } }
      }
    }
  }

  /// Tells the group of a node that has got another name: of the change, or that there is something
  /// new, or that it is gone. With the namespace locked, behind the change. `target`: what was
  /// replaced by it.
  func tellMoved(
    _ node: Node, from old: SharePath, to path: SharePath, replacing target: EntryID? = nil
  ) {
    guard let own = node.own else { return }
    let isDirectory = node.kind == .directory
    let isIgnored = ignoring.match(path, isDirectory: isDirectory) != nil
    switch own.sharing {
    case .undecided where isIgnored: if let target { group.unshare(target) }
    case .undecided: group.rename(own.id, to: path)
    case .told where isIgnored:
      takeBack(node)
      if let target { group.unshare(target) }
    case .told:
      group.rename(own.id, to: path)
      if isDirectory, ignoring.dependsOnFolders { tellMovedBelow(node, from: old, to: path) }
    case .ignored where isIgnored:
      ignore(node)
      if let target { group.unshare(target) }
    case .ignored:
      // It takes the place of what it replaced by one change: when it is told, or now where that
      // comes later.
      if !own.isAnnounced { group.rename(own.id, to: path) }
      shareAgain(node)
    }
  }

  /// What is in a folder that was renamed may have become another thing to a pattern with a path.
  private func tellMovedBelow(_ directory: Node, from old: SharePath, to path: SharePath) {
    for node in Self.ownChildren(of: directory) {
      guard let own = node.own, let entry = node.entry,
        let before = entry.path.moved(from: path, to: old)
      else { continue }
      let isDirectory = node.kind == .directory
      let isIgnored = ignoring.match(entry.path, isDirectory: isDirectory) != nil
      if own.sharing == .ignored, !isIgnored {
        shareAgain(node)
      } else if own.sharing == .told, isIgnored,
        ignoring.match(before, isDirectory: isDirectory) == nil
      {
        takeBack(node)
      } else if isDirectory, own.sharing == .told {
        tellMovedBelow(node, from: old, to: path)
      }
    }
  }

  /// Takes a node back from the group, with all that is below it: what lies in a folder before it.
  private func takeBack(_ node: Node) {
    for child in Self.ownChildren(of: node) { takeBack(child) }
    guard let own = node.own, own.staged == nil else { return }
    if own.sharing == .told {
      group.unshare(own.id)
      beginLine(of: own.id)
      if let record = own.record { index.forget(record) }
    }
    ignore(node)
  }

  /// Tells of a node that was not told of, and of what is below it, but for what is to stay so.
  private func shareAgain(_ node: Node) {
    guard let own = node.own, own.staged == nil, own.isAnnounced, let entry = node.entry else {
      return
    }
    if own.sharing == .ignored {
      node.own!.sharing = .undecided
      if isIgnored(node, entry.path, isDirectory: node.kind == .directory) { return }
      if let record = own.record { index.note(entry, record) }
      tell(node, entry)
    }
    for child in Self.ownChildren(of: node) { shareAgain(child) }
  }

  private static func ownChildren(of node: Node) -> [Node] {
    let own = node.children.own
    return own.keys.sorted { $0.bytes.lexicographicallyPrecedes($1.bytes) }.map { own[$0]!.node }
  }
}
