import Protocol

/// What lies in the own folder and is not shared. It shows where neither the group nor this member
/// has anything.
extension Tree {
  /// Notes what lies at a name of a directory. Does nothing where something of one's own is being
  /// copied in there. Returns: whether it is not shared for another reason than before.
  mutating func occupy(
    _ directory: Node, _ name: Name, _ occupied: Occupied, now: FileTime
  ) -> Bool {
    guard var slot = directory.children[name] else {
      occupiedCount += 1
      let node = makeNode(showing: occupied)
      attach(node, to: directory, name)
      directory.children[name] = Slot(claims: [], node: node, occupied: occupied)
      touch(directory, name, now: now)
      return true
    }
    if slot.claims.contains(where: \.isOwn) { return false }
    let before = slot.occupied
    if before == nil { occupiedCount += 1 }
    slot.occupied = occupied
    directory.children[name] = slot
    if let before, slot.node.occupied != nil {
      if occupied.isSameNode(before) {
        slot.node.occupied = occupied
        if slot.node.attributes != occupied.attributes {
          slot.node.attributes = occupied.attributes
          if slot.node.lookups > 0 { invalidations.append(.attributes(slot.node.number)) }
        }
      } else {
        _ = showOccupied(slot, directory, name, now: now)
      }
    }
    return before?.reason != occupied.reason
  }

  /// Nothing lies there any more, or it is shared from now on.
  mutating func vacate(_ directory: Node, _ name: Name, now: FileTime) {
    guard var slot = directory.children[name], slot.occupied != nil else { return }
    occupiedCount -= 1
    slot.occupied = nil
    directory.children[name] = slot
    guard slot.node.occupied != nil else { return }
    unlink(slot.node)
    directory.children[name] = nil
    touch(directory, name, without: slot.node, now: now)
  }

  /// Has a slot that nobody claims show what lies there, in the place of what it showed. Returns:
  /// false where nothing does.
  mutating func showOccupied(
    _ slot: Slot, _ directory: Node, _ name: Name, now: FileTime
  ) -> Bool {
    guard let occupied = slot.occupied else { return false }
    var slot = slot
    let old = slot.node
    unlink(old)
    slot.node = makeNode(showing: occupied)
    attach(slot.node, to: directory, name, order: old.order)
    directory.children[name] = slot
    touch(directory, name, without: old, now: now)
    if occupied.reason.isOfPath {
      uncovered.append(KnownName(directory: directory.number, name: name))
    }
    return true
  }

  /// Names at which nothing of others shows any more, since it was asked last: what lies there may
  /// be shared now.
  mutating func takeUncovered() -> [KnownName] {
    defer { uncovered.removeAll() }
    return uncovered
  }

  /// Names below a node that are there and not shared; `matching` says of which reasons.
  /// Complexity: O(nodes below it).
  func occupiedNames(
    below node: Node, matching: (OccupiedReason) -> Bool = { _ in true }
  ) -> [KnownName] {
    if occupiedCount == 0 { return [] }
    return node.slots.flatMap { name, slot -> [KnownName] in
      var found = occupiedNames(below: slot.node, matching: matching)
      if let occupied = slot.occupied, matching(occupied.reason) {
        found.append(KnownName(directory: node.number, name: name))
      }
      return found
    }
  }

  /// What lies in the own folder at a path and is not shared, or at the nearest directory above it.
  func occupied(at path: SharePath) -> (path: SharePath, Occupied)? {
    var directory = root
    var reached: SharePath?
    for name in path.names {
      guard let slot = directory.children[name],
        let here = try? SharePath(parent: reached, name: name)
      else { return nil }
      if let occupied = slot.occupied { return (here, occupied) }
      directory = slot.node
      reached = here
    }
    return nil
  }

  private mutating func makeNode(showing occupied: Occupied) -> Node {
    let node = table.makeNode(occupied.attributes.kind, occupied.attributes)
    node.occupied = occupied
    return node
  }
}
