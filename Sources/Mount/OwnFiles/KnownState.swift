import Protocol

/// What is known of an own node, for whoever compares it with the disk.
struct KnownState {
  let number: InodeNumber
  let id: EntryID
  let kind: EntryKind
  let record: FileRecord?
  let isStaged: Bool
  /// A change of ours is under way, which will be told by whoever makes it.
  let isBusy: Bool

  /// nil for what is not one's own.
  init?(_ node: Node) {
    guard let own = node.own else { return nil }
    number = node.number
    id = own.id
    kind = node.kind
    record = own.record
    isStaged = own.staged != nil
    isBusy = own.isDirty || own.operations > 0 || !own.history.isSettled
  }
}
