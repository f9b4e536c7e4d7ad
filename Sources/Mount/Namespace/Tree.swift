import Core
import Protocol
import System

/// The one directory that everybody sees: one's own entries and everybody else's, merged by path.
/// Knows nothing of disks and networks.
struct Tree {
  private(set) var root: Node
  let table: NodeTable
  /// How often the kernel was told of any node.
  private(set) var lookups: UInt64 = 0
  /// What can be shown of the list; as long as that is not all of it, only what is one's own is
  /// found by name, and nothing is listed.
  var standing = ListStanding.missing
  /// Collected since the last `takeInvalidations`.
  var invalidations: [Invalidation] = []
  var invalidatedListings: Set<InodeNumber> = []
  /// Names of which the kernel may not remember what they mean, and the directories that they are
  /// in.
  var uncacheable: Set<KnownName> = []
  var uncacheableListings: Set<InodeNumber> = []
  /// Own files that have several names, by what they are on the disk (`TreeTwins`).
  var twins: [FileIdentity: Set<InodeNumber>] = [:]
  /// How many names of the own folder are there and not shared.
  var occupiedCount = 0
  /// Such names as show again since somebody else's entry there is gone, for `takeUncovered`.
  var uncovered: [KnownName] = []
  /// Whether programs look at the files that they list.
  var attributeInterest = AttributeInterest()

  /// `own`: what the own folder is like.
  init(now: FileTime, own: Stat, numbers: FileNumbers) {
    table = NodeTable(now: now, numbers: numbers)
    root = table.makeRoot(Attributes(top: own, now: now))
    root.lookups = 1
  }

  /// The node with a number; nil where the kernel asks for what it has forgotten.
  subscript(number: InodeNumber) -> Node? { table[number] }

  /// The node that shows an entry, where it does and there is one.
  func node(of key: ClaimKey) -> Node? {
    guard let place = table.place(of: key), let slot = place.directory.children[place.name],
      slot.node.kind == .directory || slot.node.claim == key
    else { return nil }
    return slot.node
  }

  /// The node that shows an own entry, where it does.
  func node(of id: EntryID) -> Node? { node(of: .own(id)) }

  /// The path of a linked node; nil for the root.
  func path(of node: Node) -> SharePath? { node.path }

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
    for node in table.all where node.own == nil && node.kind == .file && node.lookups > 0 {
      if owner == nil || node.owner == owner { invalidations.append(.content(node.number)) }
    }
  }

  /// The kernel was told of the node once more.
  mutating func remember(_ node: Node) {
    node.lookups += 1
    lookups += 1
    node.lastLookup = lookups
  }

  /// The kernel forgets the node `count` times. Returns: the file of a removed one that nobody
  /// knows any more; to close it may take long.
  mutating func forget(_ number: InodeNumber, count: UInt64) -> OwnedDescriptor? {
    guard let node = table[number], node.number != Node.rootNumber else { return nil }
    node.lookups -= min(count, node.lookups)
    if node.lookups == 0, node.isLinked { table.idle.append(number) }
    table.drop(node)
    return table[number] == nil ? node.own?.remains : nil
  }
}

// MARK: - What nobody asks for any more

extension Tree {
  /// What the kernel has forgotten, or others than it have asked for, since this was called last;
  /// in that order.
  mutating func takeIdle() -> [InodeNumber] {
    defer { table.idle = [] }
    return table.idle
  }

  /// Own files in a directory with which nothing is under way need no nodes until somebody asks for
  /// them.
  mutating func rest(in number: InodeNumber) {
    if let directory = table[number] { table.rest(in: directory) }
  }

  /// The same of single nodes, and of what others have in directories.
  mutating func quiesce(_ idle: ArraySlice<InodeNumber>) {
    for number in idle { table[number].map { table.quiesce($0) } }
  }
}

// MARK: - Entries that go

extension Tree {
  /// An own entry is no longer there.
  mutating func remove(_ id: EntryID, now: FileTime) { remove(.own(id), now: now) }

  /// An entry is no longer where it has a node.
  mutating func remove(_ key: ClaimKey, now: FileTime) {
    guard let place = table.leave(key),
      var slot = place.directory.children[place.name]
    else { return }
    slot.claims.removeAll { $0.key == key }
    resolveVisible(slot, place.directory, place.name, now: now, ownNode: nil)
  }
}

// MARK: - One's own entries

extension Tree {
  /// Puts an own entry at its path, or renews it there. `node`: the node to show it with, where one
  /// exists.
  @discardableResult
  mutating func putOwn(
    _ entry: Entry, owner: PublicID, node: Node?, attributes: Attributes, now: FileTime
  ) -> Node {
    let node = node ?? self.node(of: entry.id) ?? table.makeNode(entry.kind, attributes)
    if node.own == nil { node.own = OwnState(id: entry.id) }
    // Where the kernel did not do this itself it is told: what it has of the content is not asked
    // for again.
    if node.kind == .file, node.lookups > 0, node.attributes.isOtherContent(attributes) {
      invalidations.append(.content(node.number))
    }
    node.attributes = attributes
    put(Claim(entry: entry, owner: owner, claimed: 0, isOwn: true), now: now, ownNode: node)
    let place = table.place(of: .own(entry.id))!
    let shown = place.directory.children[place.name]!.node
    // A directory that was there already goes on showing.
    if shown !== node { table.drop(node) }
    return shown
  }

  /// Moves an own node, with everything below it, to another place. Requires: nothing that shows is
  /// there. `order`: the place in the listing of what was there before; nil for a new one.
  mutating func move(
    _ node: Node, to directory: Node, _ name: Name, order: UInt64? = nil, now: FileTime
  ) {
    guard let oldDirectory = node.parent, let oldName = node.name,
      var slot = oldDirectory.children[oldName]
    else { return }
    let moved = slot.claims.filter(\.isOwn)
    slot.claims.removeAll(where: \.isOwn)
    let first = slot.claims.first
    if let shown = slot.beneath
      ?? first.map({ table.makeNode($0.entry.kind, Attributes(foreign: $0.entry)) })
    {
      // What others have there shows again where ours was.
      attach(shown, to: oldDirectory, oldName, order: node.order)
      if let first { shown.show(first) }
      slot.node = shown
      slot.beneath = nil
      oldDirectory.children[oldName] = slot
    } else {
      oldDirectory.children[oldName] = nil
    }
    touch(oldDirectory, oldName, now: now)
    attach(node, to: directory, name, order: order)
    var target = Slot(claims: moved, node: node)
    if let hidden = directory.children[name] { target.claims += hidden.claims }
    directory.children[name] = target
    touch(directory, name, now: now)
    for claim in target.claims { table.stand(claim.key, in: directory, name) }
    updatePaths(below: node)
  }

  /// Whether a node, and all that is below it, can have a path there. Complexity: O(nodes below
  /// it).
  func fits(_ number: InodeNumber, at path: SharePath) -> Bool {
    guard let node = table[number] else { return true }
    return path.bytes.count + longest(below: node) <= Limits.path
  }

  /// Whether the symlinks at and below a node would still point into the share from there.
  /// Complexity: O(nodes below it), where they rise; else O(1).
  func keepsLinksInside(_ number: InodeNumber, at path: SharePath) -> Bool {
    guard let node = table[number], let old = self.path(of: node) else { return true }
    return path.depth >= old.depth || linksStayInside(node, depth: path.depth)
  }

  private func linksStayInside(_ node: Node, depth: Int) -> Bool {
    if node.kind == .symlink, let target = node.entry?.target {
      return SymlinkTarget.isContained(target, depth: depth)
    }
    return node.slots.values.allSatisfy { linksStayInside($0.node, depth: depth + 1) }
  }

  private func longest(below node: Node) -> Int {
    let isOnlyNodes = node.isExpanded || !table.others.isAbove(node.path)
    let listed = isOnlyNodes ? 0 : node.path.map { table.others.longest(below: $0) } ?? 0
    let resting = table.resting.longestName(in: node)
    return node.slots.reduce(max(listed, resting == 0 ? 0 : 1 + resting)) { longest, child in
      let (name, slot) = child
      // What is not shared has no path that could be too long.
      if slot.node.occupied != nil { return longest }
      return max(longest, 1 + name.bytes.count + self.longest(below: slot.node))
    }
  }

  /// Whether nobody else has anything at or below the node.
  func isOwnOnly(_ node: Node) -> Bool {
    guard let parent = node.parent, let name = node.name,
      let slot = parent.children[name],
      slot.occupied != nil || slot.claims.contains(where: \.isOwn),
      slot.claims.allSatisfy(\.isOwn)
    else { return false }
    return !table.others.isAbove(node.path)
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
    for slot in node.slots.values { updatePaths(below: slot.node) }
  }
}
