import Core
import Protocol

/// What is in a directory. A name of it becomes a node when it is asked for, all of them when
/// somebody goes through them.
struct NodeChildren {
  fileprivate let directory: Node

  subscript(name: Name) -> Slot? {
    get { directory.slots[name] ?? directory.table.wake(name, in: directory) }
    nonmutating set {
      if (directory.slots[name] == nil) != (newValue == nil) {
        directory.table.recount(name, in: directory)
      }
      directory.slots[name] = newValue
    }
  }

  /// All of them. Complexity: O(names), where some are no nodes yet.
  var all: [Name: Slot] {
    directory.table.wakeAll(in: directory)
    return directory.slots
  }

  /// One's own, and what is not shared, maybe others' too.
  var own: [Name: Slot] {
    directory.table.wakeResting(in: directory)
    return directory.slots
  }

  /// Makes no nodes. Complexity: O(depth).
  var isEmpty: Bool {
    directory.slots.isEmpty && directory.firstResting == noRecord
      && (directory.isExpanded || directory.kind != .directory || !directory.isLinked
        || !directory.table.others.isAbove(directory.path))
  }

  /// Whether others' claims of a name, if any, are only in the list.
  func isOnlyListed(_ name: Name) -> Bool {
    !directory.isExpanded && directory.slots[name] == nil
      && !directory.table.resting.contains(name, in: directory)
  }

  /// How many directories of others in it are only in the list. Complexity: O(names in it) the
  /// first time, and again where one of them came, went or became a node; else O(1).
  var onlyListedDirectories: Int {
    if directory.isExpanded || !directory.isLinked { return 0 }
    if let known = directory.listedDirectories { return known }
    let found = directory.table.others.directories(in: directory.path).count { isOnlyListed($0) }
    directory.listedDirectories = found
    return found
  }

  /// Whether some of it is known apart from the list.
  var hasNodes: Bool { !directory.slots.isEmpty || directory.firstResting != noRecord }
}

extension Node {
  var children: NodeChildren { NodeChildren(directory: self) }
}
