import Protocol
import System

/// What of one's own is no longer there. `group.drain` must follow.
extension OwnFiles {
  /// Takes an own node, and what is below it, out of the tree and back from the group. What is
  /// being copied in there stays, and so does what is shared in place from somewhere else.
  func forgetOwn(_ held: borrowing NamesHeld, _ number: InodeNumber) {
    let hasPlaces = !folder.sharedPlaces.isEmpty
    var parent: SharePath?
    let directories = namespace.changeAndTell { tree -> [InodeNumber] in
      guard let top = tree[number] else { return [] }
      parent = tree.path(of: top)?.parent
      var gone: [Node] = []
      collect(top, isTop: true, hasPlaces, tree, &gone)
      for one in tree.occupiedNames(below: top) {
        if let node = tree[one.directory] {
          tree.vacate(node, one.name, now: .now)
        }
      }
      for node in gone {
        guard let id = node.own?.id else { continue }
        tree.remove(id, now: .now)
        group.unshare(id)
        beginLine(of: id)
      }
      return gone.filter { $0.kind == .directory }.map(\.number)
    }
    for directory in directories {
      watch.forget(directory)
      rescans.forget(directory)
    }
    releaseImplied(held, parent)
  }

  /// Own nodes, what lies in a directory before the directory itself.
  private func collect(
    _ node: Node, isTop: Bool, _ hasPlaces: Bool, _ tree: Tree, _ gone: inout [Node]
  ) {
    if hasPlaces, !isTop, let path = tree.path(of: node), folder.inPlaceShare(at: path) != nil {
      return
    }
    for slot in node.children.own.values {
      collect(slot.node, isTop: false, hasPlaces, tree, &gone)
    }
    if let own = node.own, own.staged == nil { gone.append(node) }
  }
}
