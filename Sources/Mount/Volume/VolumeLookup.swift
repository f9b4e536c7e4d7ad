import CFuse
import Glibc
import Protocol
import System

/// What is answered from memory: names, attributes, listings. Never waits for anything.
extension Volume {
  func lookup(_ request: Request, parent: InodeNumber, name: [UInt8]) {
    enum Found {
      case entry(EntryReply)
      case nothing
      case failure(Int32)
    }
    let found = tree.withLock { tree -> Found in
      guard let directory = tree[parent] else { return .failure(ESTALE) }
      guard directory.kind == .directory else { return .failure(ENOTDIR) }
      if name.count > Limits.name { return .failure(ENAMETOOLONG) }
      guard let name = try? Name(name), let node = directory.children[name]?.node else {
        directory.gaveNegatives = true
        let isWithheld = (try? Name(name)).map { tree.isWithheld(parent, $0) } ?? false
        return isWithheld ? .failure(ENOENT) : .nothing
      }
      tree.remember(node)
      return .entry(
        EntryReply(
          number: node.number, attributes: node.attributes,
          isRemembered: !tree.isWithheld(parent, name)))
    }
    switch found {
    case .entry(let reply): request.reply(reply)
    case .nothing: request.replyNegative()
    case .failure(let code): request.reply(error: code)
    }
  }

  func forget(_ number: InodeNumber, count: UInt64) {
    tree.withLock { $0.forget(number, count: count) }
  }

  func attributes(_ request: Request, _ number: InodeNumber) {
    if let attributes = tree.withLock({ $0[number]?.attributes }) {
      request.reply(attributes, number: number)
    } else {
      request.reply(error: ESTALE)
    }
  }

  func linkTarget(_ request: Request, _ number: InodeNumber) {
    let found = tree.withLock { tree -> (target: [UInt8], depth: Int)? in
      guard let node = tree[number], let entry = node.entry, node.kind == .symlink else {
        return nil
      }
      return (entry.target, tree.path(of: node)?.depth ?? 0)
    }
    guard let found else { return request.reply(error: EINVAL) }
    // Checked again: since it was announced the link may have been moved to another depth.
    guard SymlinkTarget.isContained(found.target, depth: found.depth) else {
      return request.reply(error: EPERM)
    }
    request.reply(link: found.target)
  }

  func openDirectory(_ request: Request, _ number: InodeNumber) {
    let isWithheld = tree.withLock { $0.isListingWithheld(number) }
    guard let listing = listing(of: number) else { return request.reply(error: ENOTDIR) }
    let handle = handles.withLock { $0.add(.listing(listing)) }
    request.reply(
      opened: OpenReply(handle: handle, keepsCache: !isWithheld, cachesListing: !isWithheld))
  }

  private func listing(of number: InodeNumber) -> Listing? {
    tree.withLock { tree in
      guard let directory = tree[number], directory.kind == .directory else { return nil }
      let items = directory.children.map { name, slot in (name, slot.node.number, slot.node.kind) }
        .sorted { $0.1 < $1.1 }
      return Listing(
        directory: number, parent: directory.parent?.number ?? number, items: items)
    }
  }

  /// READDIR, and READDIRPLUS (`withAttributes`) which also counts as a lookup of each name.
  func list(
    _ request: Request, handle: UInt64, size: Int, offset: Int64, withAttributes: Bool
  ) {
    guard case .listing(var listing)? = handles.withLock({ $0[handle] }) else {
      return request.reply(error: EBADF)
    }
    // What the kernel is told from the beginning it keeps as the directory of this moment: it must not be older.
    if offset == 0, let fresh = self.listing(of: listing.directory) {
      listing = fresh
      handles.withLock { $0.add(.listing(fresh), as: handle) }
    }
    var buffer = DirectoryBuffer(size: size)
    tree.withLock { tree in
      var position = Int(max(0, offset))
      while position < listing.items.count + 2 {
        let isFull: Bool
        switch position {
        case 0: isFull = !buffer.add(".", number: listing.directory, next: 1, withAttributes)
        case 1: isFull = !buffer.add("..", number: listing.parent, next: 2, withAttributes)
        default:
          let item = listing.items[position - 2]
          let next = Int64(position + 1)
          if withAttributes {
            // A name that went away since opendir is passed over.
            guard let node = tree[item.number] else {
              position += 1
              continue
            }
            let entry = EntryReply(
              number: node.number, attributes: node.attributes,
              isRemembered: !tree.isWithheld(listing.directory, item.name))
            isFull = !buffer.add(item.name, entry, next: next)
            if !isFull { tree.remember(node) }
          } else {
            isFull = !buffer.add(item.name, number: item.number, item.kind, next: next)
          }
        }
        if isFull { break }
        position += 1
      }
    }
    buffer.withBytes { request.reply(bytes: $0) }
  }

  func closeDirectory(_ request: Request, handle: UInt64) {
    _ = handles.withLock { $0.remove(handle) }
    request.reply()
  }

  func statistics(_ request: Request) {
    let folder = folder
    onDisk(request) { () throws(SystemError) in request.reply(statisticsOf: folder.root.raw) }
  }
}
