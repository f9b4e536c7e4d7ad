package import Protocol

/// Puts a list together of entries in the order of its tree (`ShareList.inTreeOrder`): nothing is
/// looked for on the way, and what finds entries and paths is made at the end, all at once.
package struct ListBuilder: Sendable {
  private var list = ShareList()
  /// The places on the way to the latest path.
  private var line: ContiguousArray<UInt32> = []

  package init() {}

  package mutating func append(_ listed: ListedEntry) {
    list.appendInOrder(listed, line: &line)
  }

  /// The list; nil where what came was in another order, or twice. Complexity: O(n).
  package consuming func finish() -> ShareList? {
    list.index() ? list : nil
  }
}
