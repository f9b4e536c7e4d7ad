package import Protocol

/// What of one's own files went to whom in the time for which the hub keeps leaves: direct for one,
/// hub for many. A second reader of the same bytes, and the first from then on, is sent to the hub,
/// where one upload serves all of them.
package struct ServedDirectly: Sendable {
  /// Who asked: a member by its line, or whoever it is, through the hub.
  package enum Reader: Hashable, Sendable {
    case member(PublicID)
    case hub
  }

  private struct Served {
    let reader: Reader
    var bytes: Range<UInt64>
    var last: Instant
  }

  private struct File {
    var served: [Served] = []
    var last: Instant
    var sharedUntil: Instant?
  }

  /// Where leaves that are wanted by a line come from.
  package enum Verdict: Equatable, Sendable {
    case go
    /// From the hub, and so for this time whatever else is wanted of the version; zero: only these,
    /// which the hub has at hand.
    case hub(for: Duration)
  }

  /// As long as a hub keeps leaves, if nobody says otherwise.
  package static let window: Duration = .seconds(60)
  /// Versions, and runs of bytes of one, that are remembered; beyond that the oldest are not.
  static let fileLimit = 4_096
  static let runLimit = 256

  private var files: [VersionKey: File] = [:]

  package init() {}

  /// Notes that leaves are wanted, and by whom. To the hub they always go. Complexity: O(runs of
  /// that version).
  package mutating func wanted(
    _ request: ChunkRequest, by reader: Reader, now: Instant
  ) -> Verdict {
    let key = request.key(0).content
    let scale = UInt64(request.scale)
    let bytes = request.first << scale..<(request.first + UInt64(request.count)) << scale
    var file = files.removeValue(forKey: key) ?? File(last: now)
    file.last = now
    file.served.removeAll { now - $0.last >= Self.window }
    let others = file.served.filter { $0.reader != reader && $0.bytes.overlaps(bytes) }
    // Through the hub it may have been the same reader, before it had a line.
    if others.contains(where: { $0.reader != .hub }) { file.sharedUntil = now + Self.window }
    let isShared = file.sharedUntil.map { now < $0 } ?? false
    let verdict: Verdict =
      if reader == .hub {
        .go
      } else if isShared {
        .hub(for: file.sharedUntil! - now)
      } else {
        others.contains { $0.reader == .hub && Self.covers($0.bytes, bytes) }
          ? .hub(for: .zero) : .go
      }
    if verdict == .go { note(bytes, reader, now, in: &file) }
    makeRoom(now: now)
    files[key] = file
    return verdict
  }

  private static func covers(_ whole: Range<UInt64>, _ part: Range<UInt64>) -> Bool {
    whole.lowerBound <= part.lowerBound && part.upperBound <= whole.upperBound
  }

  private func note(
    _ bytes: Range<UInt64>, _ reader: Reader, _ now: Instant, in file: inout File
  ) {
    let known = file.served.lastIndex {
      $0.reader == reader && $0.bytes.lowerBound <= bytes.upperBound
        && bytes.lowerBound <= $0.bytes.upperBound
    }
    if let known {
      let before = file.served[known].bytes
      file.served[known].bytes =
        min(before.lowerBound, bytes.lowerBound)..<max(before.upperBound, bytes.upperBound)
      file.served[known].last = now
    } else {
      if file.served.count >= Self.runLimit { file.served.removeFirst() }
      file.served.append(Served(reader: reader, bytes: bytes, last: now))
    }
  }

  private mutating func makeRoom(now: Instant) {
    guard files.count >= Self.fileLimit else { return }
    files = files.filter { now - $0.value.last < Self.window }
    guard files.count >= Self.fileLimit else { return }
    let middle = files.values.map(\.last).sorted()[files.count / 2]
    files = files.filter { $0.value.last > middle }
  }
}
