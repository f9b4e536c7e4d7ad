import Core
import Protocol

extension Tree {
  /// What shows at a path. Complexity: O(depth).
  func node(at path: SharePath) -> Node? {
    var node = root
    for name in path.names {
      guard let next = node.children[name]?.node else { return nil }
      node = next
    }
    return node
  }

  /// What is at a path. Complexity: O(depth).
  func slot(at path: SharePath) -> Slot? {
    let directory = path.parent.map { node(at: $0) } ?? root
    return directory?.children[path.name]
  }

  /// The path at which an entry shows; nil where it does not.
  func path(of key: ClaimKey) -> SharePath? {
    if let node = node(of: key) { return node.path }
    guard case .other(let file) = key, table.place(of: key) == nil else { return nil }
    return table.others[file]?.entry.path
  }
}

extension SharePath {
  /// As people can read it in a log.
  var shown: String { String(decoding: bytes, as: UTF8.self) }
}
