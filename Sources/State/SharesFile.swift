package import Protocol
package import System

/// The content of the file `shares`: what is shared in place. Name and path of each, every one
/// ended by a zero byte.
package struct SharesFile: Equatable, Sendable {
  /// One thing that is shared in place.
  package struct Row: Equatable, Sendable {
    /// Where it is listed.
    package let name: SharePath
    /// Where it lies: an absolute path.
    package let path: [UInt8]
    package init(name: SharePath, path: [UInt8]) {
      self.name = name
      self.path = path
    }
  }

  package var rows: [Row]

  /// A content.
  package init(rows: [Row]) { self.rows = rows }

  private static let olderHead = Array("fsharefs shares 1\n".utf8)

  /// What the file at `path` says; nil where there is none. Silently sharing less than was asked
  /// for would be worse than not to start.
  package static func read(_ path: String) throws(StateFault) -> SharesFile? {
    let rows: [UInt8]
    switch try StateFile.whole(.shares, path) {
    case nil: return nil
    case .body(let bytes): rows = bytes
    case .older(let bytes):
      guard bytes.starts(with: olderHead) else {
        throw .damaged(.shares, path, "its first line is garbled")
      }
      rows = Array(bytes.dropFirst(olderHead.count))
    }
    guard let content = SharesFile(decoding: rows) else {
      throw .damaged(.shares, path, "it is garbled")
    }
    return content
  }

  /// Replaces the file; durable on return.
  package func write(_ path: String) throws(SystemError) {
    let body = rows.reduce(into: [UInt8]()) { $0 += $1.name.bytes + [0] + $1.path + [0] }
    try StateFile.write(.shares, path, body)
  }

  /// nil where the bytes are not what `write` makes.
  private init?(decoding bytes: [UInt8]) {
    var parts = bytes.split(separator: 0, omittingEmptySubsequences: false)
    guard parts.popLast()?.isEmpty == true, parts.count.isMultiple(of: 2) else { return nil }
    rows = []
    for index in stride(from: 0, to: parts.count, by: 2) {
      let path = Array(parts[index + 1])
      guard let name = try? SharePath(Array(parts[index])), path.first == UInt8(ascii: "/"),
        !rows.contains(where: { name == $0.name || name.isBelow($0.name) })
      else { return nil }
      rows.append(Row(name: name, path: path))
    }
  }
}
