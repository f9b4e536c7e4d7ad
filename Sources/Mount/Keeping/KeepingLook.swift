import Core
import Protocol
import System

/// One look over what is kept: which leaves are missing, and their fetching. On one thread.
final class KeepingLook {
  private let keeping: Keeping
  private let cache: DiskCache
  private let others: ListView
  private let number: UInt32
  private let reader: LeafReading
  /// Leaves that were not there.
  private(set) var missing: UInt64 = 0

  init(_ keeping: Keeping, _ cache: DiskCache, _ others: ListView, _ number: UInt32) {
    self.keeping = keeping
    self.cache = cache
    self.others = others
    self.number = number
    reader = LeafReading(keeping.reading, cache) { [keeping] in keeping.isStopping }
  }

  /// Whether anything was asked for.
  var hasAsked: Bool { reader.hasAsked }

  /// Looks over a path and all below it; nil: everything. `isKept`: whether it stays.
  func over(_ root: SharePath?, isKept: Bool) {
    others.forEachFile(below: root) { file, shows in
      guard !keeping.isStopping else { return }
      let entry = file.entry
      let content = Content(
        owner: file.owner, entry: entry.id, version: entry.version, size: entry.size)
      if shows {
        look(at: content, entry.path, leaves: entry.leafCount, isKept: isKept)
      } else if isKept {
        stay(content, leaves: entry.leafCount)
      }
    }
  }

  /// What is there of somebody's who is gone stays: he may come back.
  private func stay(_ content: Content, leaves: UInt64) {
    let perSegment = UInt64(CacheSegment.leaves)
    for segment in 0..<(leaves + perSegment - 1) / perSegment {
      cache.keep(CacheSegment(segment, of: content), in: number)
    }
  }

  private func look(at content: Content, _ path: SharePath, leaves: UInt64, isKept: Bool) {
    let perSegment = UInt64(CacheSegment.leaves)
    var first: UInt64 = 0
    defer { reader.endFile() }
    while first < leaves, !keeping.isStopping {
      let count = min(perSegment, leaves - first)
      let segment = CacheSegment(first / perSegment, of: content)
      if isKept { cache.keep(segment, in: number) }
      let absent = cache.missing(in: segment, leaves: Int(count))
      if absent != 0 {
        missing += UInt64(absent.nonzeroBitCount)
        if keeping.obstacle(to: content, at: path, cache) == nil {
          reader.read(absent, from: first, of: content)
        }
      }
      first += count
    }
  }

  /// Waits for what was asked for, and until the disk has it.
  func finish() {
    reader.finish()
    cache.settle()
  }
}
