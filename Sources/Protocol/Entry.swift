/// What an entry is. The raw values are the wire's.
package enum EntryKind: UInt8, Sendable {
  case file = 1
  case directory = 2
  case symlink = 3
}

/// One file, directory or symlink of the list, as its owner announced it.
package struct Entry: Hashable, Sendable {
  package let id: EntryID
  package var path: SharePath
  package var kind: EntryKind
  /// Names the content; `.zero` for a directory.
  package var version: Version
  /// Bytes of the content; 0 for a directory.
  package var size: UInt64
  /// Time of the last change of the content, nanoseconds since 1970 (UTC).
  package var modified: Int64
  /// Permission bits, as of chmod(2).
  package var mode: UInt16
  /// Where a symlink points; empty for other kinds.
  package var target: [UInt8]
  /// Of a file that since an earlier version has only grown: the first version of which that is so.
  package var beginning: Version?

  package init(
    id: EntryID, path: SharePath, kind: EntryKind, version: Version, size: UInt64, modified: Int64,
    mode: UInt16, target: [UInt8] = [], beginning: Version? = nil
  ) {
    self.id = id
    self.path = path
    self.kind = kind
    self.version = version
    self.size = size
    self.modified = modified
    self.mode = mode
    self.target = target
    self.beginning = beginning
  }

  /// Leaves of the content: 128 KiB each, the last one shorter.
  package var leafCount: UInt64 { (size + UInt64(Limits.leaf) - 1) / UInt64(Limits.leaf) }

  /// Names the content and all that it becomes while it only grows.
  package var line: Version { beginning ?? version }

  /// Whether this is the same file as `other` with more bytes behind its end, if any: then all whole leaves
  /// of the other are leaves of this one.
  package func hasGrown(from other: Entry) -> Bool {
    kind == .file && other.kind == .file && id == other.id && version != other.version
      && line == other.line && size >= other.size
  }
}

extension Entry {
  /// Upper bound of the bytes that `encode` appends.
  package var encodedBound: Int {
    72 + path.bytes.count + target.count + (beginning == nil ? 0 : 16)
  }

  /// The wire's kind of a file that has only grown: its beginning follows behind all other fields.
  private static let grownFile: UInt8 = 4

  package func encode(into writer: inout ByteWriter) {
    writer.put(id)
    writer.put(beginning == nil ? kind.rawValue : Self.grownFile)
    writer.put(version)
    writer.put(size)
    writer.put(UInt64(bitPattern: modified))
    writer.put(mode)
    writer.putBytes16(path.bytes)
    writer.putBytes16(target)
    if let beginning { writer.put(beginning) }
  }

  /// Decodes one entry and checks all that can be checked without the list.
  package init(from reader: inout ByteReader) throws(DecodingFault) {
    id = try reader.randomID()
    let code = try reader.uint8()
    guard let kind = code == Self.grownFile ? .file : EntryKind(rawValue: code) else {
      throw .invalid("entry kind")
    }
    self.kind = kind
    version = try reader.randomID()
    size = try reader.uint64()
    if size > Limits.fileSize { throw .invalid("file size") }
    modified = Int64(bitPattern: try reader.uint64())
    mode = try reader.uint16() & 0o7777
    path = try reader.path()
    target = try reader.bytes16(atMost: Limits.path)
    if code == Self.grownFile {
      beginning = try reader.randomID()
      if beginning == version { throw .invalid("beginning of a file that has grown") }
    }
    switch kind {
    case .file where target.isEmpty: break
    case .directory where target.isEmpty && size == 0: break
    case .symlink where SymlinkTarget.isContained(target, depth: path.depth): break
    default: throw .invalid("entry does not fit its kind")
    }
  }
}
