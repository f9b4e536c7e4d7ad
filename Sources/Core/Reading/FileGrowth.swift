import Protocol

/// What becomes of leaves and readers of a file that has only grown.
struct FileGrowth: Sendable {
  /// Versions that are remembered: those of which something may still be on its way.
  private static let limit = 256

  private var successors: [VersionKey: Content] = [:]
  private var order: [VersionKey] = []

  /// What a version has become; nil where it has not grown lately.
  func successor(of content: VersionKey) -> Content? {
    successors.isEmpty ? nil : successors[content]
  }

  mutating func note(_ old: Content, into new: Content) {
    for (before, content) in successors where content.name == old.name {
      successors[before] = new
    }
    if successors.updateValue(new, forKey: old.name) == nil { order.append(old.name) }
    if order.count > Self.limit { successors[order.removeFirst()] = nil }
  }
}

extension ChunkFetcher {
  /// A file has only grown: its whole leaves are kept under the new version, and whoever has it
  /// open reads on in that, also who waits for its end. What is on its way under the old one is
  /// taken when it comes.
  package mutating func grew(
    _ old: Content, into new: Content, now: Instant, _ actions: inout [FetchAction]
  ) {
    guard old.file == new.file, old.version != new.version,
      old.size <= new.size
    else { return }
    growth.note(old, into: new)
    cache.move(old.name, to: new.version)
    for (stream, one) in streams where one.content.name == old.name {
      streams[stream]!.content = new
    }
    for (token, read) in reads.sorted(by: { $0.key < $1.key })
    where read.content.name == old.name && read.length < read.wanted {
      restart(token, read, in: new, now: now, into: &actions)
    }
  }

  /// What to read where a file of this content was opened: what it has become meanwhile.
  func latest(_ content: Content) -> Content { growth.successor(of: content.name) ?? content }

  /// Where a leaf that came belongs in the cache.
  func place(of key: LeafKey, _ leaf: Leaf) -> LeafKey {
    guard leaf.count == 1 << Int(key.scale), let new = growth.successor(of: key.content) else {
      return key
    }
    return new.key(key.index, scale: key.scale)
  }

  /// The owner no longer has a version: who waits for it goes on in what it has become, if it has
  /// only grown.
  mutating func changed(_ key: LeafKey, now: Instant, into actions: inout [FetchAction]) {
    guard let flight = flights.removeValue(forKey: key) else { return }
    for token in flight.waiters {
      if let read = reads[token], let new = growth.successor(of: read.content.name) {
        restart(token, read, in: new, now: now, into: &actions)
      } else {
        fail(token, .changed, into: &actions)
      }
    }
  }

  /// Lets a read wait for another version of its content: what it has got it keeps, where that is
  /// whole.
  private mutating func restart(
    _ token: ReadToken, _ old: Read, in content: Content, now: Instant,
    into actions: inout [FetchAction]
  ) {
    // An owner that lies gives one version two sizes, and grows from the smaller.
    guard old.offset < content.size else { return fail(token, .changed, into: &actions) }
    reads[token] = nil
    forget(token, old)
    var read = old
    read.content = content
    read.length = min(old.wanted, content.size - old.offset)
    read.leaves = []
    var missing: [LeafKey] = []
    for index in content.pieces(read.offset, read.length, scale: read.scale) {
      let key = content.key(index, scale: read.scale)
      let place = read.leaves.count
      let had = place < old.leaves.count ? old.leaves[place] : nil
      let leaf = [had, cache.use(key)].compactMap { $0 }.first {
        $0.count == content.length(of: index, scale: read.scale)
      }
      read.leaves.append(leaf)
      if leaf == nil { missing.append(key) }
    }
    read.missing = missing.count
    if missing.isEmpty {
      actions.append(.reply(token, slices(of: read)))
    } else {
      reads[token] = read
      wait(token, for: missing, now: now, into: &actions)
    }
  }
}

extension LeafCache {
  /// Keeps the whole leaves of a version under another one. Complexity: O(leaves in memory); O(1)
  /// where none is of that version.
  mutating func move(_ old: VersionKey, to new: Version) {
    guard contains(anyOf: old) else { return }
    for (key, leaf) in take(where: { $0.content == old && $1.count == 1 << Int($0.scale) }) {
      insert(
        leaf,
        for: LeafKey(
          owner: key.owner, entry: key.entry, version: new, scale: key.scale,
          generation: key.generation, index: key.index))
    }
  }
}
