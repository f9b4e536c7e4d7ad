import Core
import Protocol

/// Every node of a tree, by what it is called by: its number, and the claims at its name.
///
/// Nodes are there for what is one's own, and for what others have in directories that somebody has
/// looked into. All else is only in the list, and becomes nodes when its directory is asked for
/// what is in it.
// SAFETY: part of the tree, touched only inside `withLock` of the one `Locked<Tree>` of a volume.
final class NodeTable: @unchecked Sendable {
  private var nodes: [InodeNumber: Node] = [:]
  /// Where a claim stands, of those that are in an expanded directory.
  var places: [ClaimKey: (directory: Node, name: Name)] = [:]
  /// Others' entries that show, as of the latest step.
  private(set) var others = ListView()
  /// When that was.
  private var changed: FileTime
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

  /// What others have in a directory. Complexity: O(names in it). Returns: nothing where the
  /// directory is no longer in the tree.
  func slots(in directory: Node) -> [Name: Slot] {
    guard directory.isLinked else { return [:] }
    let items = others.items(in: directory.path)
    var slots: [Name: Slot] = [:]
    slots.reserveCapacity(items.count)
    for item in items {
      let claims = item.claims.map { Claim($0) }
      let node = makeNode(showing: claims.first, isAbove: item.isAbove)
      node.attach(to: directory, item.name, order: nextOrder())
      slots[item.name] = Slot(claims: claims, node: node)
      for claim in claims { places[claim.key] = (directory, item.name) }
    }
    return slots
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
