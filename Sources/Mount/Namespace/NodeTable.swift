import Core
import Protocol

/// Every node of a tree, by what it is called by: its number, and the claims at its name.
///
/// Nodes are there for what the kernel knows, for own directories, and for own files with which
/// something is under way. All else is in the list, or rests, and becomes a node when its name, or
/// all of its directory, is asked for.
// SAFETY: part of the tree, touched only inside a closure of the one `Namespace` of a mount.
final class NodeTable: @unchecked Sendable {
  private var nodes: [InodeNumber: Node] = [:]
  /// Where a claim stands, of those that have a slot.
  private var places: [ClaimKey: (directory: Node, name: Name)] = [:]
  private(set) var resting = RestingFiles()
  /// Nodes that may be needed no longer.
  var idle: [InodeNumber] = []
  /// Others' entries that show, as of the latest step.
  private(set) var others = ListView()
  /// When that was.
  private var changed: FileTime
  /// Whether nodes are still being brought to it.
  var isChanging = false
  private let numbers: FileNumbers
  private var lastNumber = Node.rootNumber
  private var lastOrder: UInt64 = 0

  init(now: FileTime, numbers: FileNumbers) {
    changed = now
    self.numbers = numbers
  }

  subscript(number: InodeNumber) -> Node? { nodes[number] }

  /// Complexity: O(nodes).
  var all: some Sequence<Node> { nodes.values }

  func makeRoot(_ attributes: Attributes) -> Node {
    let root = Node(
      number: Node.rootNumber, kind: .directory, attributes: attributes, table: self)
    root.isLinked = true
    nodes[root.number] = root
    return root
  }

  func makeNode(_ kind: EntryKind, _ attributes: Attributes) -> Node {
    lastNumber += 1
    let node = Node(number: lastNumber, kind: kind, attributes: attributes, table: self)
    nodes[node.number] = node
    return node
  }

  /// Drops a node that nobody knows any more.
  func drop(_ node: Node) {
    if node.lookups == 0, !node.isLinked { nodes[node.number] = nil }
  }

  /// What programs know a node by (`st_ino`).
  func fileNumber(of node: Node) -> UInt64 { numbers.number(of: node) }

  /// A place in listings behind all others.
  func nextOrder() -> UInt64 {
    lastOrder += 1
    return lastOrder
  }

  /// Others' entries are these from now on. What is in expanded directories is told beside it.
  func take(_ others: ListView, now: FileTime) {
    self.others = others
    changed = now
  }

  /// Whether a name of a directory is only in the list is about to be otherwise: where it is a
  /// directory there, those are counted anew.
  func recount(_ name: Name, in directory: Node) {
    guard directory.listedDirectories != nil else { return }
    // While a step of the list is made it is ahead of what was made of it so far.
    if isChanging || others.isDirectory(name, in: directory.path) {
      directory.listedDirectories = nil
    }
  }

  /// Where a claim stands; nil for others' that are only in the list.
  func place(of key: ClaimKey) -> (directory: Node, name: Name)? {
    if let known = places[key] { return known }
    guard case .own(let entry) = key, let (number, name) = resting.place(of: entry),
      let directory = nodes[number]
    else { return nil }
    return (directory, name)
  }

  func stand(_ key: ClaimKey, in directory: Node, _ name: Name) {
    places[key] = (directory, name)
  }

  /// A claim stands nowhere any more. Returns: where it did.
  func leave(_ key: ClaimKey) -> (directory: Node, name: Name)? {
    guard let (directory, name) = place(of: key) else { return nil }
    _ = directory.children[name]
    return places.removeValue(forKey: key)
  }
}

// MARK: - What is no node

extension NodeTable {
  /// Makes what rests at a name of a directory, or is only in the list, a node.
  func wake(_ name: Name, in directory: Node) -> Slot? {
    guard directory.kind == .directory, directory.isLinked else { return nil }
    if let slot = resting.take(name, from: directory, makeNode: makeNode) {
      idle.append(slot.node.number)
      return put(slot, in: directory, name)
    }
    if directory.isExpanded { return nil }
    return others.item(name, in: directory.path).map { put($0, in: directory) }
  }

  /// Makes own files that rest in a directory nodes. Complexity: O(those).
  func wakeResting(in directory: Node) {
    if directory.firstResting == noRecord { return }
    for name in resting.names(in: directory) { _ = wake(name, in: directory) }
  }

  /// Makes all that is in a directory nodes. Complexity: O(names in it), where some are none.
  func wakeAll(in directory: Node) {
    guard directory.kind == .directory, directory.isLinked else { return }
    wakeResting(in: directory)
    if directory.isExpanded { return }
    directory.isExpanded = true
    let items = others.items(in: directory.path)
    directory.slots.reserveCapacity(directory.slots.count + items.count)
    for item in items where directory.slots[item.name] == nil {
      _ = put(item, in: directory)
    }
  }

  /// Own files of a directory that can rest do so from now on. Complexity: O(slots).
  func rest(in directory: Node) {
    for (name, slot) in directory.slots { rest(slot, name, in: directory) }
  }

  /// Where the kernel knows nothing of a node, what is not needed without it goes.
  func quiesce(_ node: Node) {
    guard node.lookups == 0, node.isLinked, let parent = node.parent, let name = node.name else {
      return
    }
    if node.kind == .directory {
      fold(node)
    } else if let slot = parent.slots[name] {
      rest(slot, name, in: parent)
    }
  }

  private func rest(_ slot: Slot, _ name: Name, in directory: Node) {
    if resting.put(slot, name, in: directory) { drop(slot, name, in: directory) }
  }

  /// Others' entries in a directory that the kernel does not know are in the list only, as before
  /// it did. Not where it has told a time that the list does not have.
  private func fold(_ directory: Node) {
    let isIdle = directory.slots.values.allSatisfy { slot in
      let node = slot.node
      return node.lookups == 0 && slot.beneath == nil && slot.occupied == nil
        && !slot.claims.contains(where: \.isOwn)
        && (node.kind != .directory
          || node.slots.isEmpty && node.firstResting == noRecord && !node.isExpanded
            && node.attributes == node.entry.map { Attributes(foreign: $0) })
    }
    guard isIdle else { return }
    directory.isExpanded = false
    directory.listedDirectories = nil
    for (name, slot) in directory.slots { drop(slot, name, in: directory) }
  }

  private func drop(_ slot: Slot, _ name: Name, in directory: Node) {
    directory.slots[name] = nil
    for claim in slot.claims { places[claim.key] = nil }
    nodes[slot.node.number] = nil
  }

  private func put(_ item: ListView.Item, in directory: Node) -> Slot {
    let claims = item.claims.map { Claim($0) }
    let node = makeNode(showing: claims.first, isAbove: item.isAbove)
    node.attach(to: directory, item.name, order: nextOrder())
    if node.kind == .directory { directory.listedDirectories = nil }
    return put(Slot(claims: claims, node: node), in: directory, item.name)
  }

  private func put(_ slot: Slot, in directory: Node, _ name: Name) -> Slot {
    directory.slots[name] = slot
    for claim in slot.claims { places[claim.key] = (directory, name) }
    return slot
  }

  /// `isAbove`: whether something lies below it, so that it is a directory whatever is claimed.
  private func makeNode(showing claim: Claim?, isAbove: Bool) -> Node {
    guard let claim, !isAbove || claim.entry.kind == .directory else {
      return makeNode(.directory, Attributes(implicitDirectorySince: changed))
    }
    let node = makeNode(claim.entry.kind, Attributes(foreign: claim.entry))
    node.show(claim)
    return node
  }
}
