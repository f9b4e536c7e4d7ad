import Protocol

/// Programs that open the small files of a directory one behind the other, in the order in which it
/// is listed (`cp -r`, a thumbnailer, a compiler), and how far ahead of each its files are fetched.
/// Files and directories go by the numbers that the kernel knows them by.
package struct DirectoryWalks: Sendable {
  private struct Walk: Sendable {
    var files: [Content] = []
    /// The files' inodes, ascending, as listed.
    var numbers: [UInt64] = []
    /// The last that was opened.
    var last: UInt64
    /// Opened in order, one behind the other.
    var inOrder = 0
    /// Whether `files` were told.
    var isKnown = false
    /// Of the file that was opened last: how many come before it, itself included. nil: not known
    /// yet.
    var place: Int?
    /// Files that were fetched ahead, from the first on.
    var fetched = 0
    var used: UInt64
  }

  /// Files in the first batch and in the largest.
  private static let firstBatch = 8
  private static let largestBatch = 256
  /// Files that a program may pass over: one that picks out some is not fetched ahead of.
  private static let stride = 8
  /// Directories that are walked at a time.
  private static let limit = 16

  private var walks: [UInt64: Walk] = [:]
  private var clock: UInt64 = 0

  package init() {}

  /// A file of `directory` is opened. Returns: whether its small files must be told before `next`.
  package mutating func opened(_ number: UInt64, in directory: UInt64) -> Bool {
    clock += 1
    guard var walk = walks[directory] else {
      if walks.count == Self.limit, let oldest = walks.min(by: { $0.value.used < $1.value.used }) {
        walks[oldest.key] = nil
      }
      walks[directory] = Walk(last: number, used: clock)
      return false
    }
    walk.used = clock
    walk.inOrder = number > walk.last ? walk.inOrder + 1 : 0
    // Whoever begins again finds what came since.
    if number < walk.last { walk.isKnown = false }
    walk.last = number
    walks[directory] = walk
    return walk.inOrder > 0 && !walk.isKnown
  }

  /// The small files of a directory that is walked, in its order.
  package mutating func tell(_ files: [(number: UInt64, content: Content)], of directory: UInt64) {
    walks[directory]?.numbers = files.map(\.number)
    walks[directory]?.files = files.map(\.content)
    walks[directory]?.fetched = 0
    walks[directory]?.isKnown = true
    walks[directory]?.place = nil
  }

  /// Files that will be opened soon and were not fetched yet: a batch as large as what was walked
  /// already, once less than half of the last is left.
  package mutating func next(in directory: UInt64) -> ArraySlice<Content> {
    guard var walk = walks[directory], walk.inOrder > 0, walk.isKnown else { return [] }
    let place = walk.numbers.partitioningIndex { $0 > walk.last }
    let isNear = walk.place.map { place <= $0 + Self.stride } ?? true
    walk.place = place
    if !isNear { walk.inOrder = 0 }
    walks[directory] = walk
    guard isNear else { return [] }
    let batch = min(max(Self.firstBatch, walk.inOrder * 2), Self.largestBatch)
    guard walk.fetched < place + batch / 2 else { return [] }
    let from = max(walk.fetched, place)
    let to = min(walk.numbers.count, place + batch)
    guard from < to else { return [] }
    walk.fetched = to
    walks[directory] = walk
    return walk.files[from..<to]
  }
}

extension Array {
  /// The first index from which on `isBehind` is true. Requires: sorted by it. Complexity: O(log
  /// n).
  fileprivate func partitioningIndex(where isBehind: (Element) -> Bool) -> Int {
    var low = 0
    var high = count
    while low < high {
      let middle = (low + high) / 2
      if isBehind(self[middle]) { high = middle } else { low = middle + 1 }
    }
    return low
  }
}
