import Protocol

/// A node's own folder: what is there is the truth, and outlives its process.
struct Folder {
  private(set) var entries: [EntryID: Entry] = [:]
  private var paths: [SharePath: EntryID] = [:]

  var count: Int { entries.count }

  subscript(id: EntryID) -> Entry? { entries[id] }

  func entry(at path: SharePath) -> Entry? { paths[path].flatMap { entries[$0] } }

  /// All entries, parents before what lies in them.
  var sorted: [Entry] {
    entries.values.sorted { $0.path.bytes.lexicographicallyPrecedes($1.path.bytes) }
  }

  func below(_ path: SharePath) -> [Entry] { sorted.filter { $0.path.isBelow(path) } }

  /// Puts an entry in place of what it was, and of what lies at its path.
  mutating func put(_ entry: Entry) {
    if let old = entries[entry.id] { paths[old.path] = nil }
    if let other = paths[entry.path], other != entry.id { entries[other] = nil }
    entries[entry.id] = entry
    paths[entry.path] = entry.id
  }

  mutating func remove(_ id: EntryID) {
    guard let old = entries.removeValue(forKey: id) else { return }
    paths[old.path] = nil
  }

  /// Moves an entry and all below it; false where a path would be too long.
  mutating func move(_ id: EntryID, to path: SharePath) -> Bool {
    guard let top = entries[id] else { return false }
    let moving = [top] + below(top.path)
    var moved: [Entry] = []
    for var entry in moving {
      guard let target = entry.path.moved(from: top.path, to: path) else { return false }
      entry.path = target
      moved.append(entry)
    }
    for entry in moving { remove(entry.id) }
    for entry in moved { put(entry) }
    return true
  }
}
