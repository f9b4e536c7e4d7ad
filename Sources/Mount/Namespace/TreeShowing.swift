import Core
import Protocol

/// Claims, and which node shows for them.
extension Tree {
  /// Adds a claim, or renews it; what it lies in is made where it is missing. Somebody else's at a
  /// name without a slot, in a directory that is not expanded, is only in the list. `ownNode`: to
  /// show an own one with.
  mutating func put(_ claim: Claim, now: FileTime, ownNode: Node?) {
    let names = claim.entry.path.names
    var directory = root
    for name in names.dropLast() {
      if !claim.isOwn, directory.children.isOnlyListed(name) { return }
      if let slot = directory.children[name], slot.node.kind == .directory,
        slot.node.occupied == nil
      {
        directory = slot.node
      } else if let slot = directory.children[name], slot.node.own != nil {
        directory = beneath(slot, directory, name, now: now)
      } else if let slot = directory.children[name] {
        // A file that shows stands where a directory must be: only while a list is being caught up
        // with. Or something of the own folder that is not shared: it hides nothing of others'.
        let implied = table.makeNode(.directory, Attributes(implicitDirectorySince: now))
        unlink(slot.node)
        attach(implied, to: directory, name, order: slot.node.order)
        directory.children[name] = Slot(
          claims: slot.claims, node: implied, occupied: slot.occupied)
        touch(directory, name, without: slot.node, now: now)
        directory = implied
      } else {
        let implied = table.makeNode(.directory, Attributes(implicitDirectorySince: now))
        attach(implied, to: directory, name)
        directory.children[name] = Slot(claims: [], node: implied)
        touch(directory, name, now: now)
        directory = implied
      }
    }
    let name = names[names.count - 1]
    if !claim.isOwn, directory.children.isOnlyListed(name) { return }
    table.stand(claim.key, in: directory, name)
    var slot = directory.children[name]
    var claims = slot?.claims ?? []
    claims.removeAll { $0.key == claim.key }
    claims.insert(claim, at: claims.firstIndex { claim.precedes($0) } ?? claims.endIndex)
    if slot == nil {
      slot = Slot(
        claims: claims,
        node: ownNode ?? table.makeNode(claim.entry.kind, Attributes(foreign: claim.entry)))
      attach(slot!.node, to: directory, name)
      directory.children[name] = slot!
      touch(directory, name, now: now)
    }
    slot!.claims = claims
    if claim.isOwn, slot!.occupied != nil {
      slot!.occupied = nil
      occupiedCount -= 1
    }
    resolveVisible(slot!, directory, name, now: now, ownNode: ownNode)
  }

  /// Makes the right node show for the claims of a slot, and takes away what nothing holds any
  /// more.
  mutating func resolveVisible(
    _ slot: Slot, _ directory: Node, _ name: Name, now: FileTime, ownNode: Node?
  ) {
    var slot = slot
    let old = slot.node
    if let beneath = slot.beneath, !(slot.claims.first?.isOwn ?? false) {
      // The own file is gone: what it stood on shows.
      unlink(old)
      attach(beneath, to: directory, name, order: old.order)
      slot.node = beneath
      slot.beneath = nil
      directory.children[name] = slot
      if let first = slot.claims.first { beneath.show(first) }
      touch(directory, name, without: old, now: now)
      return
    }
    guard let first = slot.claims.first else {
      if old.kind == .directory, !old.children.isEmpty {
        old.entry = nil
        old.owner = nil
        old.own = nil
        directory.children[name] = slot
        return
      }
      if showOccupied(slot, directory, name, now: now) { return }
      unlink(old)
      directory.children[name] = nil
      touch(directory, name, without: old, now: now)
      prune(directory, now: now)
      return
    }
    let fits =
      first.isOwn
      ? (ownNode == nil || ownNode === old) && old.own?.id == first.entry.id
      : old.own == nil && old.occupied == nil && old.kind == first.entry.kind
        && isSameContent(old, first)
    let staysDirectory =
      first.entry.kind == .directory && old.kind == .directory && old.occupied == nil
    // A directory that holds something goes on showing, whatever claims its name meanwhile.
    if fits || staysDirectory || (old.kind == .directory && !old.children.isEmpty) {
      let before = old.attributes
      old.show(first)
      directory.children[name] = slot
      // Of own entries the disk may know more than we do by now.
      if old.lookups > 0, first.isOwn || old.attributes != before {
        invalidations.append(.attributes(old.number))
      }
      return
    }
    unlink(old)
    let node = ownNode ?? table.makeNode(first.entry.kind, Attributes(foreign: first.entry))
    attach(node, to: directory, name, order: old.order)
    slot.node = node
    directory.children[name] = slot
    node.show(first)
    touch(directory, name, without: old, now: now)
  }

  /// The directory that others have where an own file shows.
  private mutating func beneath(
    _ slot: Slot, _ directory: Node, _ name: Name, now: FileTime
  ) -> Node {
    if let known = slot.beneath { return known }
    let beneath = table.makeNode(.directory, Attributes(implicitDirectorySince: now))
    attach(beneath, to: directory, name, order: slot.node.order)
    directory.slots[name]!.beneath = beneath
    return beneath
  }

  private func isSameContent(_ node: Node, _ claim: Claim) -> Bool {
    guard let known = node.entry else { return true }
    let entry = claim.entry
    return node.claim == claim.key
      && (known.version == entry.version || entry.hasGrown(from: known))
  }

  /// Puts a node at a name. `order`: that of what was there before; nil: behind all others.
  func attach(_ node: Node, to directory: Node, _ name: Name, order: UInt64? = nil) {
    node.attach(to: directory, name, order: order ?? table.nextOrder())
  }

  mutating func unlink(_ node: Node) {
    node.isLinked = false
    node.parent = nil
    table.drop(node)
  }

  /// A directory that nobody claims and that holds nothing any more is no directory.
  mutating func prune(_ directory: Node, now: FileTime) {
    guard directory.children.isEmpty, let parent = directory.parent, let name = directory.name,
      let slot = parent.children[name]
    else { return }
    if slot.beneath === directory {
      parent.slots[name]!.beneath = nil
      return unlink(directory)
    }
    if let first = slot.claims.first {
      // A file took the place of the directory, which only showed on because of what was being
      // copied into it.
      if first.entry.kind != .directory {
        resolveVisible(slot, parent, name, now: now, ownNode: nil)
      }
      return
    }
    if showOccupied(slot, parent, name, now: now) { return }
    unlink(directory)
    parent.children[name] = nil
    touch(parent, name, without: directory, now: now)
    prune(parent, now: now)
  }

  /// A name of `directory` changed: its time moves on, and the kernel is told what it may remember.
  /// `old`: the node that is no longer in the tree by that.
  mutating func touch(
    _ directory: Node, _ name: Name, without old: Node? = nil, now: FileTime
  ) {
    directory.attributes.moveTime(to: now)
    guard directory.lookups > 0 else { return }
    if let old, old.lookups > 0, !old.isLinked {
      invalidations.append(.gone(directory.number, name, old.number))
    } else {
      invalidations.append(.name(directory.number, name))
    }
    if invalidatedListings.insert(directory.number).inserted {
      invalidations.append(.listing(directory.number))
    }
  }
}
