import Core
import Protocol
import System

/// Small files on their way before they are opened.
extension RemoteReading {
  /// Somebody else's file was opened: if a program walks through its directory, the next are
  /// fetched.
  func fetchNext(behind number: InodeNumber) {
    // Pauses follow open files: what is not open yet may be paused too.
    guard pauses.withLock({ $0.isEmpty }) else { return }
    let place = namespace.read { tree in
      tree[number].flatMap { node in node.parent.map { (directory: $0.number, order: node.order) } }
    }
    guard let (directory, order) = place else { return }
    if walks.withLock({ $0.opened(order, in: directory) }) {
      let files = smallFiles(of: directory)
      walks.withLock { $0.tell(files, of: directory) }
    }
    let next = walks.withLock { Array($0.next(in: directory)) }
    if !next.isEmpty { step { $0.expect(next, now: $1, into: &$2) } }
  }

  /// Others' files of a directory that are one leaf, by their places in its listing.
  private func smallFiles(
    of directory: InodeNumber
  ) -> [(number: UInt64, content: Content)] {
    let files = namespace.read { tree -> [(number: UInt64, content: Content)] in
      guard let directory = tree[directory] else { return [] }
      return directory.children.all.values.compactMap { slot in
        let node = slot.node
        guard node.kind == .file, node.own == nil, let entry = node.entry, let owner = node.owner,
          (1...UInt64(Limits.leaf)).contains(entry.size)
        else { return nil }
        let content = Content(
          owner: owner, entry: entry.id, version: entry.version, size: entry.size)
        return (node.order, content)
      }
    }
    return files.sorted { $0.number < $1.number }
  }
}
