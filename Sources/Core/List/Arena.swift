/// Records of one kind, found by a number that stays theirs for as long as they are there.
///
/// They lie in chunks of a fixed length: growing moves nothing, and a copy shares every chunk that
/// neither side has changed since, so that a list of a million entries is copied for what a few
/// hundred chunks cost.
package struct Arena<Element: Sendable>: Sendable {
  /// 512 records: some ten KiB for the larger kinds, which is what a change behind a copy costs.
  private static var chunkBits: UInt32 { 9 }
  private static var chunkLength: Int { 1 << chunkBits }

  private var chunks: ContiguousArray<ContiguousArray<Element>> = []
  /// Numbers below `end` that are free, in the order of their becoming so.
  private var free: ContiguousArray<UInt32> = []
  /// One more than the highest number that was ever given.
  package private(set) var end: UInt32 = 0

  /// Records that are there.
  package var count: Int { Int(end) - free.count }

  package init() {}

  /// Requires: the number was given by `insert` (what was there stays until it is given again).
  package subscript(index: UInt32) -> Element {
    @inline(__always) _read {
      yield chunks[Int(index >> Self.chunkBits)][Int(index) & (Self.chunkLength - 1)]
    }
    @inline(__always) _modify {
      yield &chunks[Int(index >> Self.chunkBits)][Int(index) & (Self.chunkLength - 1)]
    }
  }

  /// Returns: the record's number, the one that became free last where there is one.
  package mutating func insert(_ element: Element) -> UInt32 {
    if let index = free.popLast() {
      self[index] = element
      return index
    }
    let index = end
    end += 1
    if Int(index) & (Self.chunkLength - 1) == 0 { chunks.append([]) }
    chunks[chunks.count - 1].append(element)
    return index
  }

  /// Gives a number back.
  package mutating func remove(_ index: UInt32) {
    free.append(index)
    if count == 0 { self = Arena() }
  }
}
