import Core
import Protocol
import Sealing
import System

/// An own file that is open to be served, as one version of it.
struct UploadSource: Sendable {
  let file: OwnedDescriptor
  let entry: EntryID
  let version: Version
  /// Of the version, bytes.
  let size: UInt64
  /// The file when it was opened, and `OwnState.touches`.
  let record: FileRecord?
  let touches: UInt64

  /// Where a leaf or piece ends in the file; 0 where it lies behind the file's end.
  func end(of key: LeafKey) -> UInt64 {
    let start = key.index << UInt64(key.scale)
    return start < size ? min(start + 1 << UInt64(key.scale), size) : 0
  }

  /// Bytes of a leaf or piece. Requires: `end(of: key)` is not 0.
  func length(of key: LeafKey) -> Int { Int(end(of: key) - key.index << UInt64(key.scale)) }
}

/// Files that small pieces were served of lately, kept open: who reads at random asks for the next
/// one soon.
struct OpenSources: Sendable {
  private static let limit = 32
  /// Files that nothing is asked of for so long are closed.
  private static let rest: Duration = .seconds(2)

  /// The one that was used last is the last.
  private var sources: [(source: UploadSource, used: Instant)] = []

  /// When `closeRested` is due.
  var nextExpiry: Instant? { sources.first.map { $0.used + Self.rest } }

  /// The file of a version, which counts as used now.
  mutating func use(_ entry: EntryID, _ version: Version, now: Instant) -> UploadSource? {
    guard
      let index = sources.firstIndex(where: {
        $0.source.entry == entry && $0.source.version == version
      })
    else { return nil }
    let source = sources.remove(at: index).source
    sources.append((source, now))
    return source
  }

  mutating func keep(_ source: UploadSource, now: Instant) {
    drop(source.entry)
    if sources.count == Self.limit { sources.removeFirst() }
    sources.append((source, now))
  }

  mutating func drop(_ entry: EntryID) { sources.removeAll { $0.source.entry == entry } }

  mutating func closeRested(now: Instant) {
    sources.removeAll { now - $0.used >= Self.rest }
  }
}
