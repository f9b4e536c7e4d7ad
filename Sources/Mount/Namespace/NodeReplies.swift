import Protocol

extension EntryReply {
  /// As a node is now.
  ///
  /// One's own is best read and written by as much as the kernel passes on in one request, each of
  /// which makes a program wait; others' by leaves: who only looks at a file's beginning fetches no
  /// more.
  init(_ node: Node, isRemembered: Bool = true) {
    self.init(
      number: node.number, fileNumber: node.fileNumber, links: node.links, node.shownAttributes,
      blockSize: node.own == nil ? Limits.leaf : FuseSession.longestWrite,
      isRemembered: isRemembered, node.thing)
  }
}

extension Node {
  private static let gitLink = Array(".git".utf8)

  /// As what it shows its owner.
  fileprivate var thing: ShownAttributes.Thing {
    switch kind {
    case .symlink: .symlink
    case .file where own == nil && occupied == nil:
      name?.bytes == Self.gitLink ? .othersGitLink : .othersFile
    case .file, .directory: .other
    }
  }
}

extension DirectoryBuffer {
  /// A name, with number and kind of what it is. Returns: false where it does not fit any more.
  mutating func add(_ name: [UInt8], of node: Node, next: Int64) -> Bool {
    add(name, fileNumber: node.fileNumber, format: node.attributes.format, next: next)
  }
}
