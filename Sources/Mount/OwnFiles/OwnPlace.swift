import Protocol

/// Something of one's own, as it was when the namespace was asked.
struct OwnPlace {
  let number: InodeNumber
  let id: EntryID
  let path: SharePath
  let kind: EntryKind
  /// Its name in the staging folder; nil once it lies in the own folder.
  let staged: [UInt8]?
  let isEmpty: Bool
  /// Whether it has a name still; without one `path` is what it had last, and may be another
  /// file's.
  let isLinked: Bool

  /// nil for what is not one's own.
  init?(_ node: Node, _ tree: Tree) {
    guard let own = node.own, let path = tree.path(of: node) ?? node.entry?.path else { return nil }
    number = node.number
    id = own.id
    self.path = path
    kind = node.kind
    staged = own.staged
    isEmpty = node.children.isEmpty
    isLinked = node.isLinked
  }
}

/// A name in a directory where something is to be put.
struct FreePlace {
  let path: SharePath
  /// Paths of the directories above that this member has not claimed yet, outermost first.
  let unclaimed: [SharePath]
}
