import Protocol

/// What the kernel must be told because the tree changed without its asking.
enum Invalidation: Hashable, Sendable {
  /// A name of a directory means something else now, or nothing.
  case name(InodeNumber, Name)
  /// A directory's listing changed.
  case listing(InodeNumber)
  /// Attributes changed.
  case attributes(InodeNumber)
  /// A file has grown: what was read from this offset on ended too early.
  case end(InodeNumber, UInt64)
  /// What was read of a file may not be shown again.
  case content(InodeNumber)
}

/// The one directory that everybody sees: one's own entries and everybody else's, merged by path.
/// Knows nothing of disks and networks.
struct Tree {
  private(set) var root: Node
  private var nodes: [InodeNumber: Node] = [:]
  private(set) var places: [EntryID: (directory: Node, name: Name)] = [:]
  private var lastNumber = Node.rootNumber
  /// Collected since the last `takeInvalidations`.
  private var invalidations: [Invalidation] = []
  private var invalidatedListings: Set<InodeNumber> = []
  /// Names of which the kernel may not remember what they mean.
  var withheld: Set<KnownName> = []

  init(now: Int64) {
    root = Node(
      number: Node.rootNumber, kind: .directory,
      attributes: Attributes(implicitDirectorySince: now))
    root.lookups = 1
    root.isLinked = true
    nodes[root.number] = root
  }

  /// The node with a number; nil where the kernel asks for what it has forgotten.
  subscript(number: InodeNumber) -> Node? { nodes[number] }

  /// The node that shows the entry, where it does.
  func node(of id: EntryID) -> Node? {
    guard let place = places[id], let slot = place.directory.children[place.name],
      slot.node.kind == .directory || slot.node.entry?.id == id
    else { return nil }
    return slot.node
  }

  /// The path of a linked node; nil for the root.
  func path(of node: Node) -> SharePath? {
    guard let name = node.name, let parent = node.parent else { return nil }
    return try? SharePath(parent: path(of: parent), name: name)
  }

  mutating func takeInvalidations() -> [Invalidation] {
    defer {
      invalidations.removeAll()
      invalidatedListings.removeAll()
    }
    return invalidations
  }

  /// Nothing that was read of the files of `owner` (nil: of everybody else) may be shown again.
  /// Complexity: O(nodes).
  mutating func forgetContents(of owner: PublicID?) {
    for node in nodes.values where node.own == nil && node.kind == .file && node.lookups > 0 {
      if owner == nil || node.owner == owner { invalidations.append(.content(node.number)) }
    }
  }

  /// The kernel was told of the node once more.
  func remember(_ node: Node) { node.lookups += 1 }

  /// The kernel forgets the node `count` times.
  mutating func forget(_ number: InodeNumber, count: UInt64) {
    guard let node = nodes[number], node.number != Node.rootNumber else { return }
    node.lookups -= min(count, node.lookups)
    drop(node)
  }

  /// Drops a node that nobody knows any more.
  mutating func drop(_ node: Node) {
    if node.lookups == 0, !node.isLinked { nodes[node.number] = nil }
  }

  mutating func makeNode(_ kind: EntryKind, _ attributes: Attributes) -> Node {
    lastNumber += 1
    let node = Node(number: lastNumber, kind: kind, attributes: attributes)
    nodes[node.number] = node
    return node
  }
}

// MARK: - Others' entries

extension Tree {
  /// Somebody else's entry came or changed.
  mutating func upsert(_ entry: Entry, owner: PublicID, claimed: UInt64, now: Int64) {
    let claim = Claim(entry: entry, owner: owner, claimed: claimed, isOwn: false)
    if let place = places[entry.id] {
      let stays =
        place.directory.children[place.name]?.claims.contains {
          $0.entry.id == entry.id && $0.entry.path == entry.path
        } ?? false
      if !stays { remove(entry.id, now: now) }
    }
    put(claim, now: now, ownNode: nil)
  }

  /// An entry is no longer there.
  mutating func remove(_ id: EntryID, now: Int64) {
    guard let place = places.removeValue(forKey: id),
      var slot = place.directory.children[place.name]
    else { return }
    slot.claims.removeAll { $0.entry.id == id }
    settle(slot, place.directory, place.name, now: now, ownNode: nil)
  }
}

// MARK: - One's own entries

extension Tree {
  /// Puts an own entry at its path, or renews it there. `node`: the node to show it with, where one exists.
  @discardableResult
  mutating func putOwn(
    _ entry: Entry, owner: PublicID, node: Node?, attributes: Attributes, now: Int64
  ) -> Node {
    let node = node ?? self.node(of: entry.id) ?? makeNode(entry.kind, attributes)
    if node.own == nil { node.own = OwnState(id: entry.id) }
    // Where the kernel did not do this itself it is told: what it has of the content is not asked for again.
    if node.kind == .file, node.lookups > 0, node.attributes.isOtherContent(attributes) {
      invalidations.append(.content(node.number))
    }
    node.attributes = attributes
    put(Claim(entry: entry, owner: owner, claimed: 0, isOwn: true), now: now, ownNode: node)
    return places[entry.id]!.directory.children[places[entry.id]!.name]!.node
  }

  /// Moves an own node, with everything below it, to another place. Requires: nothing that shows is there.
  mutating func move(_ node: Node, to directory: Node, _ name: Name, now: Int64) {
    guard let oldDirectory = node.parent, let oldName = node.name,
      var slot = oldDirectory.children[oldName]
    else { return }
    let moved = slot.claims.filter(\.isOwn)
    slot.claims.removeAll(where: \.isOwn)
    if slot.claims.isEmpty {
      oldDirectory.children[oldName] = nil
    } else {
      // Somebody else's claim shows again where ours was.
      let shown = makeNode(slot.claims[0].entry.kind, Attributes(foreign: slot.claims[0].entry))
      attach(shown, to: oldDirectory, oldName)
      show(slot.claims[0], in: shown)
      slot.node = shown
      oldDirectory.children[oldName] = slot
    }
    touch(oldDirectory, oldName, now: now)
    attach(node, to: directory, name)
    var target = Slot(claims: moved, node: node)
    if let hidden = directory.children[name] { target.claims += hidden.claims }
    directory.children[name] = target
    touch(directory, name, now: now)
    for claim in target.claims { places[claim.entry.id] = (directory, name) }
    updatePaths(below: node)
  }

  /// Whether nobody else has anything at or below the node.
  func isOwnOnly(_ node: Node) -> Bool {
    guard let parent = node.parent, let name = node.name,
      let slot = parent.children[name], slot.claims.contains(where: \.isOwn),
      slot.claims.allSatisfy(\.isOwn)
    else { return false }
    return node.children.values.allSatisfy { isOwnOnly($0.node) }
  }

  /// The directory's ancestors, itself included, that this member has not claimed; outermost first.
  func unclaimed(_ directory: Node) -> [Node] {
    var found: [Node] = []
    var one = directory
    while let parent = one.parent, one.own == nil {
      found.append(one)
      one = parent
    }
    return found.reversed()
  }

  /// After a move every own claim below names its new path.
  private mutating func updatePaths(below node: Node) {
    guard let directory = node.parent, let name = node.name, let path = path(of: node) else {
      return
    }
    var slot = directory.children[name]!
    for index in slot.claims.indices where slot.claims[index].isOwn {
      slot.claims[index].entry.path = path
    }
    directory.children[name] = slot
    node.entry?.path = path
    for child in node.children.values { updatePaths(below: child.node) }
  }
}

// MARK: - Claims and what shows

extension Tree {
  private mutating func put(_ claim: Claim, now: Int64, ownNode: Node?) {
    let names = claim.entry.path.names
    var directory = root
    for name in names.dropLast() {
      if let slot = directory.children[name], slot.node.kind == .directory {
        directory = slot.node
      } else if let slot = directory.children[name] {
        // A file that shows stands where a directory must be: only while a list is being caught up with.
        let implied = makeNode(.directory, Attributes(implicitDirectorySince: now))
        unlink(slot.node)
        attach(implied, to: directory, name)
        directory.children[name] = Slot(claims: slot.claims, node: implied)
        touch(directory, name, now: now)
        directory = implied
      } else {
        let implied = makeNode(.directory, Attributes(implicitDirectorySince: now))
        attach(implied, to: directory, name)
        directory.children[name] = Slot(claims: [], node: implied)
        touch(directory, name, now: now)
        directory = implied
      }
    }
    let name = names[names.count - 1]
    places[claim.entry.id] = (directory, name)
    var slot = directory.children[name]
    var claims = slot?.claims ?? []
    claims.removeAll { $0.entry.id == claim.entry.id }
    claims.insert(claim, at: claims.firstIndex { claim.precedes($0) } ?? claims.endIndex)
    if slot == nil {
      slot = Slot(
        claims: claims,
        node: ownNode ?? makeNode(claim.entry.kind, Attributes(foreign: claim.entry)))
      attach(slot!.node, to: directory, name)
      directory.children[name] = slot!
      touch(directory, name, now: now)
    }
    slot!.claims = claims
    settle(slot!, directory, name, now: now, ownNode: ownNode)
  }

  /// Makes the right node show for the claims of a slot, and takes away what nothing holds any more.
  private mutating func settle(
    _ slot: Slot, _ directory: Node, _ name: Name, now: Int64, ownNode: Node?
  ) {
    var slot = slot
    let old = slot.node
    guard let first = slot.claims.first else {
      if old.kind == .directory, !old.children.isEmpty {
        old.entry = nil
        old.owner = nil
        old.own = nil
        directory.children[name] = slot
        return
      }
      unlink(old)
      directory.children[name] = nil
      touch(directory, name, now: now)
      prune(directory, now: now)
      return
    }
    // A directory that holds something goes on showing, whatever claims its name meanwhile.
    let holdsSomething = old.kind == .directory && !old.children.isEmpty
    let fits =
      first.isOwn
      ? (ownNode == nil || ownNode === old) && old.own?.id == first.entry.id
      : old.own == nil && old.kind == first.entry.kind && isSameContent(old, first.entry)
    if fits || holdsSomething || (first.entry.kind == .directory && old.kind == .directory) {
      show(first, in: old)
      directory.children[name] = slot
      invalidations.append(.attributes(old.number))
      return
    }
    unlink(old)
    let node = ownNode ?? makeNode(first.entry.kind, Attributes(foreign: first.entry))
    attach(node, to: directory, name)
    slot.node = node
    directory.children[name] = slot
    show(first, in: node)
    touch(directory, name, now: now)
  }

  private func isSameContent(_ node: Node, _ entry: Entry) -> Bool {
    guard let known = node.entry else { return true }
    return known.id == entry.id && (known.version == entry.version || entry.hasGrown(from: known))
  }

  private func show(_ claim: Claim, in node: Node) {
    guard node.kind == claim.entry.kind else { return }
    node.entry = claim.entry
    node.owner = claim.owner
    if claim.isOwn {
      if node.own?.id != claim.entry.id { node.own = OwnState(id: claim.entry.id) }
    } else {
      node.own = nil
      node.attributes = Attributes(foreign: claim.entry)
    }
  }

  private func attach(_ node: Node, to directory: Node, _ name: Name) {
    node.parent = directory
    node.name = name
    node.isLinked = true
  }

  mutating func unlink(_ node: Node) {
    node.isLinked = false
    node.parent = nil
    drop(node)
  }

  /// A directory that nobody claims and that holds nothing any more is no directory.
  private mutating func prune(_ directory: Node, now: Int64) {
    guard directory.children.isEmpty, let parent = directory.parent, let name = directory.name,
      let slot = parent.children[name], slot.claims.isEmpty
    else { return }
    unlink(directory)
    parent.children[name] = nil
    touch(parent, name, now: now)
    prune(parent, now: now)
  }

  /// A name of `directory` changed: its time moves on, and the kernel is told what it may remember.
  private mutating func touch(_ directory: Node, _ name: Name, now: Int64) {
    directory.attributes.modified = max(now, directory.attributes.modified + 1)
    directory.attributes.changed = directory.attributes.modified
    guard directory.lookups > 0 else { return }
    invalidations.append(.name(directory.number, name))
    if invalidatedListings.insert(directory.number).inserted {
      invalidations.append(.listing(directory.number))
    }
  }
}
