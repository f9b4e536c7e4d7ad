package import Protocol
package import System

/// The content of the file `keeps`: which paths are kept, every one ended by a zero byte; an empty
/// one is everything.
package struct KeepsFile: Equatable, Sendable {
  package var paths: [SharePath?]

  /// A content.
  package init(paths: [SharePath?]) { self.paths = paths }

  /// What the file at `path` says; nil where there is none. Silently keeping less than was asked
  /// for would be worse than not to start.
  package static func read(_ path: String) throws(StateFault) -> KeepsFile? {
    let body: [UInt8]
    switch try StateFile.whole(.keeps, path) {
    case nil: return nil
    case .body(let bytes): body = bytes
    case .older: throw .damaged(.keeps, path, "its first line is garbled")
    }
    var parts = body.split(separator: 0, omittingEmptySubsequences: false)
    guard parts.popLast()?.isEmpty == true else {
      throw .damaged(.keeps, path, "it is garbled")
    }
    var paths: [SharePath?] = []
    for part in parts {
      guard !part.isEmpty else {
        paths.append(nil)
        continue
      }
      guard let kept = try? SharePath(Array(part)) else {
        throw .damaged(.keeps, path, "it is garbled")
      }
      paths.append(kept)
    }
    return KeepsFile(paths: paths)
  }

  /// Replaces the file; durable on return.
  package func write(_ path: String) throws(SystemError) {
    try StateFile.write(
      .keeps, path, paths.reduce(into: [UInt8]()) { $0 += ($1?.bytes ?? []) + [0] })
  }
}
