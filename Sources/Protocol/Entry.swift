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
  /// Time of the last change of the content, as its owner's file system has it.
  package var modified: FileTime
  /// Permission bits, as of chmod(2).
  package var mode: UInt16
  /// Where a symlink points; empty for other kinds.
  package var target: [UInt8]
  /// Of a file that since an earlier version has only grown: the first version of which that is so.
  package var beginning: Version?

  package init(
    id: EntryID, path: SharePath, kind: EntryKind, version: Version, size: UInt64,
    modified: FileTime, mode: UInt16, target: [UInt8] = [], beginning: Version? = nil
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

  /// Whether this is the same file as `other` with more bytes behind its end, if any: then all
  /// whole leaves of the other are leaves of this one.
  package func hasGrown(from other: Entry) -> Bool {
    kind == .file && other.kind == .file && id == other.id && version != other.version
      && line == other.line && size >= other.size
  }
}

extension Entry {
  /// Upper bound of the bytes that `encode` appends.
  package var encodedBound: Int {
    76 + path.bytes.count + target.count + (beginning == nil ? 0 : 16)
  }

  /// The wire's kind of a file that has only grown: its beginning follows behind all other fields.
  private static let grownFile: UInt8 = 4

  package func encode(into writer: inout ByteWriter) {
    writer.put(id)
    writer.put(beginning == nil ? kind.rawValue : Self.grownFile)
    writer.put(version)
    writer.put(size)
    writer.put(modified)
    writer.put(mode)
    writer.putBytes16(path.bytes)
    writer.putBytes16(target)
    if let beginning { writer.put(beginning) }
  }

  /// Decodes one entry and checks all that can be checked without the list.
  package init(from reader: inout ByteReader) throws(DecodingFault) {
    switch try Decoded(from: &reader) {
    case .entry(let entry): self = entry
    case .impossible(_, let fault): throw fault
    }
  }

  /// Why nobody would take this for an entry; nil where everybody does. What has a fault is never
  /// sent.
  package var fault: DecodingFault? {
    if size > Limits.fileSize { return .invalid("file size") }
    if let beginning, kind != .file || beginning == version {
      return .invalid("beginning of a file that has grown")
    }
    let fits =
      switch kind {
      case .file: target.isEmpty
      case .directory: target.isEmpty && size == 0
      case .symlink: SymlinkTarget.isContained(target, depth: path.depth)
      }
    return fits ? nil : .invalid("entry does not fit its kind")
  }

  /// One entry of a message that has several: a fault of one is no fault of the others.
  package enum Decoded {
    case entry(Entry)
    /// All its fields are there, but nothing of this kind can be shared.
    case impossible(EntryID, DecodingFault)

    /// Throws where the fields themselves are not there, so that nothing behind them can be read.
    package init(from reader: inout ByteReader) throws(DecodingFault) {
      let id = try reader.randomID()
      let code = try reader.uint8()
      let version = try reader.randomID()
      let size = try reader.uint64()
      let (seconds, nanoseconds) = (try reader.uint64(), try reader.uint32())
      let mode = try reader.uint16() & 0o7777
      let path = try reader.bytes16(atMost: .max)
      let target = try reader.bytes16(atMost: .max)
      let beginning = code == Entry.grownFile ? try reader.randomID() : nil
      do throws(DecodingFault) {
        guard let kind = code == Entry.grownFile ? .file : EntryKind(rawValue: code) else {
          throw .invalid("entry kind")
        }
        guard let path = try? SharePath(path) else { throw .invalid("path") }
        guard
          let modified = FileTime(
            seconds: Int64(bitPattern: seconds), nanoseconds: nanoseconds)
        else { throw .invalid("time") }
        let entry = Entry(
          id: id, path: path, kind: kind, version: version, size: size, modified: modified,
          mode: mode, target: target, beginning: beginning)
        if let fault = entry.fault { throw fault }
        self = .entry(entry)
      } catch {
        self = .impossible(id, error)
      }
    }
  }
}
