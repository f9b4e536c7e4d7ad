package import Protocol

/// All entries of a list, one after the other.
extension ShareList {
  /// All entries in the order of their keys. Complexity: O(n log n).
  package var sorted: [ListedEntry] { Array(inOrder) }

  /// The same, one after the other.
  package var inOrder: some Sequence<ListedEntry> {
    // Numbers are moved about, rather than entries.
    (0..<records.end).filter { records[$0].place != noRecord }
      .sorted { records[$0].key < records[$1].key }.lazy.map { listed($0) }
  }

  /// All entries, in an order that depends on what became of the list before.
  package var unordered: some Sequence<ListedEntry> {
    (0..<records.end).lazy.filter { records[$0].place != noRecord }.map { listed($0) }
  }

  /// All entries in the order of the tree: a directory before what is in it, the claims of a path
  /// one behind the other.
  package var inTreeOrder: some Sequence<ListedEntry> {
    sequence(first: PlaceTree.root) { places.next(behind: $0) }.lazy.flatMap { claims(at: $0) }
  }

  /// The entries that `other` has not, in the order of their keys. Complexity: O(n).
  func lacking(in other: ShareList) -> [ListedEntry] {
    (0..<records.end)
      .filter { records[$0].place != noRecord && other.record(of: records[$0].key) == nil }
      .map { listed($0) }.sorted { $0.key < $1.key }
  }
}
