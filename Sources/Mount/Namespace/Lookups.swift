import CFuse
import Core
import Glibc
import Protocol
import System

/// What is answered from memory: names, attributes, listings. Never waits for anything.
extension Namespace {
  func lookup(_ request: Request, parent: InodeNumber, name: [UInt8]) {
    enum Found {
      case entry(EntryReply)
      case nothing
      case failure(Int32)
    }
    let found = change { tree -> Found in
      guard let directory = tree[parent] else { return .failure(ESTALE) }
      guard directory.kind == .directory else { return .failure(ENOTDIR) }
      if let occupied = directory.occupied { return .failure(occupied.reason.code) }
      if name.count > Limits.name { return .failure(ENAMETOOLONG) }
      if let code = tree.refusal(of: name, in: directory) { return .failure(code) }
      guard let name = try? Name(name), let node = directory.children[name]?.node else {
        directory.gaveNegatives = true
        let isUncacheable = (try? Name(name)).map { tree.isUncacheable(parent, $0) } ?? false
        return isUncacheable ? .failure(ENOENT) : .nothing
      }
      tree.remember(node)
      if node.kind != .directory { tree.attributeInterest.looked(now: MonotonicClock.now) }
      return .entry(EntryReply(node, isRemembered: !tree.isUncacheable(parent, name)))
    }
    switch found {
    case .entry(let reply): request.reply(reply)
    case .nothing: request.replyNegative()
    case .failure(let code): request.reply(error: code)
    }
  }

  /// FORGET. Returns: the file of a removed one that nobody knows any more; to close it may take
  /// long.
  func forget(_ number: InodeNumber, count: UInt64) -> OwnedDescriptor? {
    change { $0.forget(number, count: count) }
  }

  func attributes(_ request: Request, _ number: InodeNumber) {
    if let found = read({ tree in tree[number].map { EntryReply($0) } }) {
      request.reply(attributes: found)
    } else {
      request.reply(error: ESTALE)
    }
  }

  func linkTarget(_ request: Request, _ number: InodeNumber) {
    if let occupied = read({ $0[number]?.occupied }), occupied.attributes.kind == .symlink {
      // One's own, whose way out of the share is no secret here.
      return request.reply(link: occupied.target)
    }
    let found = read { tree -> (target: [UInt8], depth: Int)? in
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
    let (code, isUncacheable) = read { tree -> (Int32?, Bool) in
      guard let node = tree[number], node.kind == .directory else { return (ENOTDIR, false) }
      return (node.occupied?.codeBelow ?? tree.standing.code, tree.isListingUncacheable(number))
    }
    if let code { return request.reply(error: code) }
    let handle = listings.withLock { $0.add(Listing(directory: number)) }
    request.reply(
      opened: OpenReply(handle: handle, keepsCache: !isUncacheable, cachesListing: !isUncacheable))
  }

  /// READDIR, and READDIRPLUS (`withAttributes`) which also counts as a lookup of each name that it
  /// brings attributes of: of directories, which a crawler opens next, and of files where somebody
  /// looks at them. What the kernel has kept of a listing it tells itself, so the first offset
  /// asked for here may be any.
  func list(
    _ request: Request, handle: HandleNumber, size: Int, offset: Int64, withAttributes: Bool
  ) {
    guard var listing = listings.withLock({ $0[handle] }) else {
      return request.reply(error: EBADF)
    }
    let begins = offset == 0 || listing.items == nil
    var buffer = DirectoryBuffer(
      size: size, withAttributes: withAttributes, shown: request.shown)
    let failure = change { tree -> Int32? in
      // Whose list is taken away in the middle of a listing hears of it: half of one passes for all
      // of it.
      if let code = tree.standing.code { return code }
      guard let directory = tree[listing.directory], directory.isLinked else { return ENOENT }
      if begins { listing.renew(directory) }
      let tellsOfFiles = tree.attributeInterest.isThere(now: MonotonicClock.now)
      guard addDots(directory, to: &buffer, offset: offset) else { return nil }
      for item in listing.items(from: offset) {
        // A name that went away is passed over; one that was replaced is told as what it is now.
        guard let node = directory.children[item.name]?.node else { continue }
        if withAttributes, tellsOfFiles || node.kind == .directory {
          let isUncacheable = tree.isUncacheable(listing.directory, item.name)
          let reply = EntryReply(node, isRemembered: !isUncacheable)
          if !buffer.add(item.name.bytes, reply, next: item.next) { return nil }
          tree.remember(node)
        } else {
          if !buffer.add(item.name.bytes, of: node, next: item.next) { return nil }
        }
      }
      return nil
    }
    if let failure { return request.reply(error: failure) }
    if begins { listings.withLock { $0.renew(handle, listing) } }
    buffer.withBytes { request.reply(bytes: $0) }
  }

  /// Returns: false where they do not fit.
  private func addDots(
    _ directory: Node, to buffer: inout DirectoryBuffer, offset: Int64
  ) -> Bool {
    if offset < 1, !buffer.add(Array(".".utf8), of: directory, next: 1) { return false }
    let parent = directory.parent ?? directory
    return offset > 1 || buffer.add(Array("..".utf8), of: parent, next: 2)
  }

  func closeDirectory(_ request: Request, handle: HandleNumber) {
    listings.withLock { $0.remove(handle) }
    request.reply()
  }
}
