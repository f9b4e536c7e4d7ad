import Core
import Protocol

/// Others' changes on their way into the tree. Of what is only in the list no node changes, but the
/// directory that it is in: its time of change moves, and it goes when nothing is in it any more.
extension Tree {
  /// Others' entries are `others` from now on; `deltas` lead there (nil: all may have changed).
  mutating func apply(_ deltas: [ListDelta]?, showing others: ListView, now: FileTime) {
    let before = table.others
    let deltas = deltas ?? changes(to: others)
    table.take(others, now: now)
    table.isChanging = true
    defer { table.isChanging = false }
    var passed = PassedChanges()
    for delta in deltas {
      switch delta {
      case .upserted(let listed): upsert(Claim(listed), before, &passed, now: now)
      case .removed(let listed):
        let key = ClaimKey.other(listed.key)
        if table.place(of: key) != nil {
          remove(key, now: now)
        } else {
          pass(listed.entry.path, isOther: true, &passed)
        }
      }
    }
    for (known, isOther) in passed.names {
      guard let directory = self[known.directory], directory.isLinked,
        let path = try? SharePath(parent: directory.path, name: known.name)
      else { continue }
      if before.isDirectory(known.name, in: directory.path)
        != others.isDirectory(known.name, in: directory.path)
      {
        directory.listedDirectories = nil
      }
      if isOther || before.shows(path) != others.shows(path) {
        touch(directory, known.name, now: now)
      }
      if directory.children.isEmpty { prune(directory, now: now) }
    }
  }

  /// What changes where nodes are by that others' entries are `others`. Complexity: O(names in
  /// directories that have some).
  private func changes(to others: ListView) -> [ListDelta] {
    var (gone, there): ([ListDelta], [ListDelta]) = ([], [])
    for directory in table.all where directory.isLinked {
      directory.listedDirectories = nil
      guard directory.isExpanded || directory.children.hasNodes else { continue }
      var known: [EntryKey: ListedEntry] = [:]
      for claim in directory.slots.values.flatMap(\.claims) where !claim.isOwn {
        let listed = ListedEntry(
          entry: claim.entry, owner: claim.owner, claimed: claim.claimed)
        known[listed.key] = listed
        if others[listed.key] == nil { gone.append(.removed(listed)) }
      }
      // What only held something goes by whatever it held.
      for (name, slot) in directory.slots where slot.holdsOthers {
        guard let path = try? SharePath(parent: directory.path, name: name), !others.isAbove(path)
        else { continue }
        gone += table.others.first(below: directory.path, name).map { [.removed($0)] } ?? []
      }
      for item in others.items(in: directory.path)
      where !directory.children.isOnlyListed(item.name) {
        there += item.claims.filter { known[$0.key] != $0 }.map { .upserted($0) }
        // What only holds something, or holds something now and was a file, is made by whatever it
        // holds.
        let slot = directory.slots[item.name]
        let isMade = slot.map { $0.node.kind == .directory } ?? !item.claims.isEmpty
        if item.isAbove, !isMade {
          there += others.first(below: directory.path, item.name).map { [.upserted($0)] } ?? []
        }
      }
    }
    return gone + there
  }

  /// Somebody else's entry came or changed.
  private mutating func upsert(
    _ claim: Claim, _ before: ListView, _ passed: inout PassedChanges, now: FileTime
  ) {
    let path = claim.entry.path
    var isOther = true
    if let place = table.place(of: claim.key) {
      let stays =
        place.directory.children[place.name]?.claims.contains {
          $0.key == claim.key && $0.entry.path == path
        } ?? false
      if !stays { remove(claim.key, now: now) }
    } else if let old = before[EntryKey(claim.owner, claim.entry.id)]?.entry {
      if old.path == path {
        isOther = old.version != claim.entry.version && !claim.entry.hasGrown(from: old)
      } else {
        pass(old.path, isOther: true, &passed)
      }
    }
    if pass(path, isOther: isOther, &passed) { return }
    put(claim, now: now, ownNode: nil)
    // Only what it lies in was made. A later change of the same step may have taken it from there.
    if table.place(of: claim.key) == nil { pass(path, isOther: false, &passed) }
  }

  /// Notes a change at a path if that, or a directory above it, is only in the list. `isOther`:
  /// whether another file or none is there than before. Returns: whether it is.
  @discardableResult
  private func pass(_ path: SharePath, isOther: Bool, _ passed: inout PassedChanges) -> Bool {
    let names = path.names
    var directory = root
    for (depth, name) in names.enumerated() {
      if directory.children.isOnlyListed(name) {
        passed.note(
          KnownName(directory: directory.number, name: name),
          isOther: isOther && depth == names.count - 1)
        return true
      }
      guard let slot = directory.slots[name] else { return false }
      if slot.node.kind == .directory, slot.node.occupied == nil {
        directory = slot.node
      } else if slot.node.own != nil, let beneath = slot.beneath {
        directory = beneath
      } else {
        return false
      }
    }
    return false
  }
}

/// Names that are only in the list, at or below which something changed.
private struct PassedChanges {
  /// In the order in which they came; with each, whether another file or none is there.
  private(set) var names: [(name: KnownName, isOther: Bool)] = []
  private var numbers: [KnownName: Int] = [:]

  mutating func note(_ name: KnownName, isOther: Bool) {
    if let known = numbers[name] {
      names[known].isOther = names[known].isOther || isOther
    } else {
      numbers[name] = names.count
      names.append((name, isOther))
    }
  }
}
