/// Why a path from a peer or a program is not taken.
package enum PathFault: Error, Equatable, Sendable {
  case empty
  case emptyPart
  case dotPart
  case zeroByte
  case partTooLong
  case tooLong
}

/// One part of a path: bytes, never a `String`, because file names are bytes.
package struct Name: Hashable, Sendable {
  package let bytes: [UInt8]

  /// Checks that `bytes` can stand as one part of a path.
  package init(_ bytes: some Sequence<UInt8>) throws(PathFault) {
    let bytes = Array(bytes)
    try Name.check(bytes[...])
    self.bytes = bytes
  }

  /// For bytes that `check` has passed before.
  package init(unchecked bytes: ArraySlice<UInt8>) { self.bytes = Array(bytes) }

  package func hash(into hasher: inout Hasher) { bytes[...].hashBytes(into: &hasher) }

  static func check(_ part: ArraySlice<UInt8>) throws(PathFault) {
    if part.isEmpty { throw .emptyPart }
    if part.count > Limits.name { throw .partTooLong }
    if part.first == 0x2e, part.count == 1 || (part.count == 2 && part.last == 0x2e) {
      throw .dotPart
    }
    for byte in part {
      if byte == 0 { throw .zeroByte }
      if byte == 0x2f { throw .emptyPart }
    }
  }
}

/// A path below the root of the share: parts joined by `/`, none empty, `.` or `..`. The root is no
/// path.
package struct SharePath: Hashable, Sendable {
  package let bytes: [UInt8]

  /// Checks every part; complexity O(length).
  package init(_ bytes: [UInt8]) throws(PathFault) {
    if bytes.isEmpty { throw .empty }
    if bytes.count > Limits.path { throw .tooLong }
    var start = 0
    while true {
      let end = bytes[start...].firstIndex(of: 0x2f) ?? bytes.count
      try Name.check(bytes[start..<end])
      if end == bytes.count { break }
      start = end + 1
    }
    self.bytes = bytes
  }

  /// For bytes that were checked before, as one path or as parts of paths.
  package init(unchecked bytes: [UInt8]) { self.bytes = bytes }

  /// The path of `name` in `parent` (nil: the root).
  package init(parent: SharePath?, name: Name) throws(PathFault) {
    guard let parent else {
      self.init(unchecked: name.bytes)
      return
    }
    if parent.bytes.count + 1 + name.bytes.count > Limits.path { throw .tooLong }
    self.init(unchecked: parent.bytes + [0x2f] + name.bytes)
  }

  package func hash(into hasher: inout Hasher) { bytes[...].hashBytes(into: &hasher) }

  /// The parts, first to last.
  package var names: [Name] { parts.map { Name(unchecked: $0) } }

  /// The same, without a copy of any.
  package var parts: Parts { Parts(rest: bytes[...]) }

  /// Goes through the parts of a path.
  package struct Parts: Sequence, IteratorProtocol {
    private var rest: ArraySlice<UInt8>?

    init(rest: ArraySlice<UInt8>) { self.rest = rest }

    package mutating func next() -> ArraySlice<UInt8>? {
      guard let left = rest else { return nil }
      guard let slash = left.firstIndex(of: 0x2f) else {
        rest = nil
        return left
      }
      rest = left[(slash + 1)...]
      return left[..<slash]
    }
  }

  /// The last part.
  package var name: Name {
    let slash = bytes.lastIndex(of: 0x2f)
    return Name(unchecked: slash.map { bytes[($0 + 1)...] } ?? bytes[...])
  }

  /// The directory that holds it; nil for a path directly below the root.
  package var parent: SharePath? {
    bytes.lastIndex(of: 0x2f).map { SharePath(unchecked: Array(bytes[..<$0])) }
  }

  /// How many directories lie above it.
  package var depth: Int { bytes.reduce(0) { $1 == 0x2f ? $0 + 1 : $0 } }

  /// Whether it lies somewhere below `other`.
  package func isBelow(_ other: SharePath) -> Bool {
    bytes.count > other.bytes.count && bytes[other.bytes.count] == 0x2f
      && bytes.starts(with: other.bytes)
  }

  /// The same path with the leading part `old` replaced by `new`; nil where it would be too long.
  /// Requires: it is `old` or lies below it.
  package func moved(from old: SharePath, to new: SharePath) -> SharePath? {
    precondition(self == old || isBelow(old), "only what lies below a directory moves with it")
    let tail = bytes[old.bytes.count...]
    if new.bytes.count + tail.count > Limits.path { return nil }
    return SharePath(unchecked: new.bytes + tail)
  }
}

extension ArraySlice<UInt8> {
  /// Feeds all bytes at once: `Array`'s own hashing goes byte by byte, ten times slower.
  package func hashBytes(into hasher: inout Hasher) {
    unsafe withUnsafeBytes { unsafe hasher.combine(bytes: $0) }
  }
}
