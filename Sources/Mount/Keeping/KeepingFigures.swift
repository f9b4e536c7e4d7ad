package import Core
package import Protocol
import System

/// How much of what is chosen is here.
package struct KeepingFigures: Sendable {
  package var files = 0
  package var bytes: UInt64 = 0
  package var bytesHere: UInt64 = 0
  /// Bytes that all of it takes on the disk.
  package var cost: UInt64 = 0
  /// Why what is missing cannot be had now; nil where some of it can, or nothing is missing.
  package var obstacle: Keeping.Obstacle?
  package var isWhole: Bool { bytesHere == bytes }
}

extension Keeping {
  /// What there is of others at a path and below it (nil: everything), and how much of it is here.
  /// Any thread. Complexity: O(what is there).
  package func figures(of root: SharePath?) -> KeepingFigures {
    let (others, cache) = (namespace.read { $0.table.others }, diskCache)
    var figures = KeepingFigures()
    // By owner: of a million files all may be one's.
    var obstacles: [PublicID: Obstacle?] = [:]
    others.forEachFile(below: root) { file, shows in
      guard shows else { return }
      let entry = file.entry
      let content = Content(
        owner: file.owner, entry: entry.id, version: entry.version, size: entry.size)
      figures.files += 1
      figures.bytes += entry.size
      let here = min(entry.size, (cache?.leaves(of: content) ?? 0) * UInt64(Limits.leaf))
      figures.bytesHere += here
      figures.cost += CacheSegment.cost(of: entry)
      if here < entry.size, let cache, obstacles[file.owner] == nil {
        obstacles[file.owner] = .some(obstacle(to: content, at: entry.path, cache))
      }
    }
    let some = obstacles.values.contains { $0 == nil }
    figures.obstacle = some ? state.withLock { $0.refusal } : obstacles.values.first ?? nil
    return figures
  }

  /// What all that is kept would take on the disk. Any thread.
  package func cost(of kept: ChosenPaths) -> UInt64 {
    kept.roots.reduce(0) { $0 + figures(of: $1).cost }
  }

  /// What a part of the share is, for who wants to keep it.
  package enum Subject: Sendable {
    case nothing
    case ownFile
    case others
  }

  /// What lies at a path; nil: the top. Any thread.
  package func subject(at path: SharePath?) -> Subject {
    guard let path else { return .others }
    return namespace.read { tree in
      guard let node = tree.node(at: path) else { return .nothing }
      return node.own != nil && node.kind != .directory ? .ownFile : .others
    }
  }
}
