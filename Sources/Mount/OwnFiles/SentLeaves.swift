import DequeModule
package import Protocol
package import Sealing

/// What was sent of own files, by marks: nobody can have any other bytes of them.
///
/// So where only a file's time of change is another (a link was made, an attribute set), it can be
/// told whether it may go on as the version that it is: what was sent must be what is there, and of
/// the rest nobody knows anything. Kept for a line of versions, since readers keep what they have
/// of a file that grows.
package struct SentLeaves: Sendable {
  private struct Piece: Hashable {
    let scale: UInt8
    let index: UInt64
  }

  /// Leaves that are remembered at most: 4 GiB of files, in some MB of memory. Files of which more
  /// was sent are forgotten, those first that were not sent for longest: they become new versions
  /// then.
  package static let limit = 32_768

  private struct File {
    var marks: [Piece: LeafMark] = [:]
    /// Its place in `order`.
    let turn: UInt64
  }

  private var files: [EntryID: File] = [:]
  /// In the order in which they were sent first; what was dropped since is passed over.
  private var order: Deque<(entry: EntryID, turn: UInt64)> = []
  private var lastTurn: UInt64 = 0
  /// Files of which something was sent that is not remembered.
  private var forgotten: Set<EntryID> = []
  private var count = 0

  package init() {}

  /// A leaf is sent. Complexity: amortised O(1).
  package mutating func note(_ mark: LeafMark) {
    let entry = mark.key.entry
    if forgotten.contains(entry) { return }
    if files[entry] == nil {
      lastTurn += 1
      files[entry] = File(turn: lastTurn)
      order.append((entry, lastTurn))
    }
    let piece = Piece(scale: mark.key.scale, index: mark.key.index)
    if files[entry]!.marks.updateValue(mark, forKey: piece) == nil { count += 1 }
    while count > Self.limit, let oldest = order.popFirst() {
      if files[oldest.entry]?.turn != oldest.turn { continue }
      drop(oldest.entry)
      forgotten.insert(oldest.entry)
    }
  }

  /// All that was sent of a file's line; nil where that is not known.
  package func marks(of entry: EntryID) -> [LeafMark]? {
    if forgotten.contains(entry) { return nil }
    return (files[entry]?.marks ?? [:]).values.sorted {
      ($0.key.scale, $0.key.index) < ($1.key.scale, $1.key.index)
    }
  }

  /// A new line begins, of which nothing was sent; or the entry is gone.
  package mutating func begin(_ entry: EntryID) {
    drop(entry)
    forgotten.remove(entry)
  }

  private mutating func drop(_ entry: EntryID) {
    guard let file = files.removeValue(forKey: entry) else { return }
    count -= file.marks.count
    if order.count > 2 * files.count + 1_024 {
      order.removeAll { files[$0.entry]?.turn != $0.turn }
    }
  }
}
