import Core
import Protocol

/// A name in a directory, as the kernel may remember it.
struct KnownName: Hashable, Sendable {
  let directory: InodeNumber
  let name: Name
}

/// A file of somebody else's that is about to be longer.
struct Growth {
  let old: Content
  let new: Content
  /// The node that shows it; nil where the kernel does not know it.
  let number: InodeNumber?
}

/// What a change must not show half of.
extension Tree {
  /// Files that only grow by these changes.
  func growths(in deltas: [ListDelta]) -> [Growth] {
    deltas.compactMap { delta in
      guard case .upserted(let listed) = delta, let node = node(of: .other(listed.key)),
        node.own == nil, let known = node.entry, let owner = node.owner, owner == listed.owner,
        known.path == listed.entry.path, listed.entry.hasGrown(from: known)
      else { return nil }
      return Growth(
        old: Content(owner: owner, entry: known.id, version: known.version, size: known.size),
        new: Content(
          owner: owner, entry: known.id, version: listed.entry.version, size: listed.entry.size),
        number: node.lookups > 0 ? node.number : nil)
    }
  }

  /// From now on the kernel is to remember nothing of the names from and to which something moves
  /// by these changes. Returns: what it must forget of them.
  mutating func makeUncacheable(_ deltas: [ListDelta]) -> [Invalidation] {
    var tops: Set<SharePath> = []
    var invalidations: [Invalidation] = []
    for case .upserted(let listed) in deltas {
      guard let place = table.place(of: .other(listed.key)),
        let claim = place.directory.children[place.name]?.claims.first(where: {
          $0.key == .other(listed.key)
        }), claim.entry.path != listed.entry.path,
        !isBelow(claim.entry.path, tops)
      else { continue }
      tops.insert(claim.entry.path)
      for (directory, name) in [place, nearest(listed.entry.path)] where directory.lookups > 0 {
        let known = KnownName(directory: directory.number, name: name)
        guard uncacheable.insert(known).inserted else { continue }
        uncacheableListings.insert(directory.number)
        let node = directory.children[name]?.node
        // Whoever watches a file hears that it is gone from there.
        if let node, node.kind != .directory, node.lookups > 0 {
          invalidations.append(.gone(directory.number, name, node.number))
        } else {
          invalidations.append(.name(directory.number, name))
        }
        invalidations.append(.listing(directory.number))
      }
    }
    return invalidations
  }

  /// Whether a path lies below any of some others. Complexity: O(depth).
  private func isBelow(_ path: SharePath, _ tops: Set<SharePath>) -> Bool {
    var above = tops.isEmpty ? nil : path.parent
    while let one = above {
      if tops.contains(one) { return true }
      above = one.parent
    }
    return false
  }

  /// Ends what `makeUncacheable` began.
  mutating func releaseNames() {
    uncacheable.removeAll()
    uncacheableListings.removeAll()
  }

  /// Whether the kernel may not remember what a name means now.
  func isUncacheable(_ directory: InodeNumber, _ name: Name) -> Bool {
    !uncacheable.isEmpty && uncacheable.contains(KnownName(directory: directory, name: name))
  }

  /// Whether the kernel may not remember the directory's listing.
  func isListingUncacheable(_ directory: InodeNumber) -> Bool {
    uncacheableListings.contains(directory)
  }

  /// The first name on the way to a path that is not there yet, or its last.
  private func nearest(_ path: SharePath) -> (directory: Node, name: Name) {
    let names = path.names
    var directory = root
    for name in names.dropLast() {
      guard let node = directory.children[name]?.node, node.kind == .directory,
        node.occupied == nil
      else {
        return (directory, name)
      }
      directory = node
    }
    return (directory, names[names.count - 1])
  }
}
