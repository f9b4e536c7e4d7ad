package import Protocol

/// The name under which something is kept whose path is somebody else's: `NAME (conflict,
/// MEMBER).EXTENSION`, with a number where that is taken too.
package struct ConflictName: Sendable {
  /// Numbers that are tried at most.
  static let attempts = 1_000
  /// Bytes of an extension at most; what is longer is no extension but part of a name with a dot in
  /// it.
  private static let longestExtension = 16

  /// nil where no such name fits: the mark alone leaves no room for what it marks.
  package let path: SharePath?

  /// `attempt`: 0 for the name without a number. A name that would be too long is cut, at the
  /// boundary of a character, before its extension; where that is not enough, the extension goes. A
  /// folder's name is taken as it is.
  package init(of path: SharePath, isFolder: Bool, member: DeviceName, _ attempt: Int) {
    let number = attempt == 0 ? "" : " \(attempt + 1)"
    let mark = Array(" (conflict, \(member.text)\(number))".utf8)
    let above = path.parent.map { $0.bytes.count + 1 } ?? 0
    let room = min(Limits.name, Limits.path - above) - mark.count
    let name = path.name.bytes
    let dot = isFolder ? name.count : Self.startOfExtension(name)
    let kept = [dot, name.count].lazy.compactMap { end -> [UInt8]? in
      let ending = name[end...]
      guard let stem = Self.cut(name[..<end], to: room - ending.count) else { return nil }
      return stem + mark + ending
    }
    self.path = kept.first.flatMap { try? Name($0) }
      .flatMap { try? SharePath(parent: path.parent, name: $0) }
  }

  /// Where the extension begins, with its dot; the end of the name where it has none.
  private static func startOfExtension(_ name: [UInt8]) -> Int {
    guard let dot = name.lastIndex(of: UInt8(ascii: ".")), dot > 0,
      (2...longestExtension).contains(name.count - dot), !name[dot...].contains(UInt8(ascii: " "))
    else { return name.count }
    return dot
  }

  /// As much of it as fits, with no character of UTF-8 cut in two; nil where nothing does.
  private static func cut(_ name: ArraySlice<UInt8>, to count: Int) -> [UInt8]? {
    if count < 1 { return nil }
    if name.count <= count { return Array(name) }
    var end = name.startIndex + count
    // A character has at most three bytes behind its first. What is no UTF-8 may be cut anywhere.
    for _ in 0..<3 where end > name.startIndex && name[end] & 0xc0 == 0x80 { end -= 1 }
    return end == name.startIndex ? nil : Array(name[..<end])
  }
}
