import Protocol

/// A directory that a program lists. Names keep their places: what comes, goes or is replaced
/// meanwhile moves no other name, so that none that stays is passed over or told twice.
struct Listing: Sendable {
  /// A name and its place among the others.
  struct Item: Sendable {
    let order: UInt64
    let name: Name

    /// Where the listing goes on behind it, as of telldir(3); 1 and 2 are behind `.` and `..`.
    var next: Int64 { Int64(order) + 2 }
  }

  let directory: InodeNumber
  /// The names when the program began, ascending; nil as long as it has not.
  private(set) var items: [Item]?

  init(directory: InodeNumber) { self.directory = directory }

  /// Takes the names as they are now: at the first look, and whenever the program begins again.
  /// Complexity: O(n log n).
  mutating func renew(_ directory: Node) {
    items = directory.children.all.map { name, slot in Item(order: slot.node.order, name: name) }
      .sorted { $0.order < $1.order }
  }

  /// The items from an offset on. Complexity: O(log n).
  func items(from offset: Int64) -> ArraySlice<Item> {
    guard let items else { return [] }
    var low = 0
    var high = items.count
    while low < high {
      let middle = (low + high) / 2
      if items[middle].next > offset { high = middle } else { low = middle + 1 }
    }
    return items[low...]
  }
}
