import System

/// What may be at each path, by what the programs that wrote were told. A path is written by one
/// thread only.
final class TortureModel: Sendable {
  typealias Version = TortureContent.Version

  private struct Paths {
    /// The versions of which one is there; 0: nothing is.
    var allowed: [String: Set<Version>] = [:]
    /// All that was ever begun to be put there.
    var begun: [String: Set<Version>] = [:]
    var last: Version = 0
    var acks = 0
    var refusals = 0
    var reads = 0
    var failedReads = 0
  }

  private let paths = Locked(Paths())

  /// A version that was not there before.
  func newVersion() -> Version {
    paths.withLock { paths in
      paths.last += 1
      return paths.last
    }
  }

  /// Something is about to be put (0: taken away) at a path.
  func begins(_ path: String, _ version: Version) {
    paths.withLock { paths in
      paths.allowed[path, default: [0]].insert(version)
      if version != 0 { paths.begun[path, default: []].insert(version) }
    }
  }

  /// The program was told how that ended. What failed may have come to pass all the same, or not.
  func ended(_ path: String, _ version: Version, isAcked: Bool) {
    paths.withLock { paths in
      if isAcked { paths.allowed[path] = [version] }
      if isAcked { paths.acks += 1 } else { paths.refusals += 1 }
    }
  }

  /// The versions that a path surely has; nil where that is not known.
  func known(_ path: String) -> Version? {
    paths.withLock { paths in
      let allowed = paths.allowed[path] ?? [0]
      return allowed.count == 1 ? allowed.first : nil
    }
  }

  /// Whether a name may show at all.
  func knows(_ path: String) -> Bool { paths.withLock { $0.begun[path] != nil } }

  /// A file was closed that has the beginning of its content only.
  func spoils(_ path: String) {
    paths.withLock { _ = $0.allowed[path, default: [0]].insert(TortureContent.part) }
  }

  /// Which version a content at a path is; nil where it is none that was ever begun there.
  func version(of bytes: [UInt8], at path: String, seed: UInt64) -> Version? {
    let (begun, isSpoilt) = paths.withLock {
      ($0.begun[path] ?? [], $0.allowed[path]?.contains(TortureContent.part) ?? false)
    }
    if let version = TortureContent.version(of: bytes, seed: seed) {
      return begun.contains(version) ? version : nil
    }
    let isPart = begun.contains { TortureContent.bytes($0, seed: seed).starts(with: bytes) }
    return isSpoilt && isPart ? TortureContent.part : nil
  }

  /// A read has ended.
  func noteRead(isWhole: Bool) {
    paths.withLock { paths in
      if isWhole { paths.reads += 1 } else { paths.failedReads += 1 }
    }
  }

  /// What is wrong with a whole listing of a quiet group; nil where nothing is.
  func fault(of seen: [String: Version]) -> String? {
    paths.withLock { paths in
      for (path, allowed) in paths.allowed.sorted(by: { $0.key < $1.key }) {
        let version = seen[path] ?? 0
        if !allowed.contains(version) {
          return "\(path) has version \(version), not \(allowed.sorted())"
        }
      }
      return seen.keys.sorted().first { paths.begun[$0] == nil }.map { "nobody made \($0)" }
    }
  }

  /// From here on what was seen is what is there.
  func settle(_ seen: [String: Version]) {
    paths.withLock { paths in
      for path in paths.allowed.keys { paths.allowed[path] = [seen[path] ?? 0] }
    }
  }

  /// How much was done.
  var summary: String {
    paths.withLock {
      "\($0.acks) changes acked, \($0.refusals) not, \($0.reads) reads verified, \($0.failedReads) failed"
    }
  }
}
