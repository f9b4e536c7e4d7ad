import Glibc
import Protocol
package import System

/// Which entry and version each own file was announced as. Only a cache of the own folder: a file that does
/// not match its record is a new version, and losing the index costs fetching again, nothing else.
package final class OwnIndex: Sendable {
  struct Known: Equatable, Sendable {
    let entry: EntryID
    let version: Version
    let record: FileRecord
  }

  private struct Key: Hashable {
    let device: UInt64
    let inode: UInt64
  }

  private struct State {
    var known: [Key: Known] = [:]
    var file: OwnedDescriptor?
    /// What was noted since the scan began; nil once it has ended.
    var seen: Set<Key>? = []
  }

  /// A ctime less than this before it was recorded may hide a change in the same tick.
  private static let settlingTime: Duration = .seconds(2)
  private static let recordLength = 88
  private static let limit = 1 << 30
  private let path: String
  private let state = Locked(State())

  /// Reads what is there; damage is no error, since every record is checked against the file itself.
  package init(path: String) throws(SystemError) {
    self.path = path
    if let bytes = try? File.readAll(path, limit: Self.limit) { load(bytes) }
  }

  /// Begins to write: what the scan noted is kept, in a fresh file. Call once, after the scan.
  func beginWriting() throws(SystemError) {
    var all: [UInt8] = []
    state.withLock { state in
      if let seen = state.seen { state.known = state.known.filter { seen.contains($0.key) } }
      state.seen = nil
      all.reserveCapacity(state.known.count * Self.recordLength)
      for known in state.known.values { all += Self.encode(known, settled: true) }
    }
    try File.writeAtomically(path, all, mode: 0o600)
    let path = path
    let file = OwnedDescriptor(
      try retryingOnInterrupt("open \(path)") {
        open(path.cPath, O_WRONLY | O_APPEND | O_CLOEXEC)
      })
    state.withLock { $0.file = file }
  }

  /// What a file of this identity was announced as, if it is still the same.
  func lookup(_ record: FileRecord) -> (entry: EntryID, version: Version?)? {
    let key = Key(device: record.device, inode: record.inode)
    guard let known = state.withLock({ $0.known[key] }) else { return nil }
    return (known.entry, known.record == record ? known.version : nil)
  }

  /// Notes what a file was announced as. One small write to the page cache.
  func note(_ entry: EntryID, _ version: Version, _ record: FileRecord) {
    let known = Known(entry: entry, version: version, record: record)
    let settled = FileTime.now.elapsed(since: record.changed) >= Self.settlingTime
    state.withLock { state in
      let key = Key(device: record.device, inode: record.inode)
      state.known[key] = known
      state.seen?.insert(key)
      guard let file = state.file else { return }
      // A lost record is a new version later, no more: an error here is no error of the program's.
      try? File.writeAll(Self.encode(known, settled: settled), to: file.raw, path)
    }
  }

  /// At a clean end: records that have settled since they were noted are written as such.
  package func writeSettled() {
    let now = FileTime.now
    var all: [UInt8] = []
    state.withLock { state in
      for known in state.known.values {
        all += Self.encode(
          known, settled: now.elapsed(since: known.record.changed) >= Self.settlingTime)
      }
    }
    try? File.writeAtomically(path, all, mode: 0o600)
  }

  private func load(_ bytes: [UInt8]) {
    var loaded: [Key: Known] = [:]
    var offset = 0
    while offset + Self.recordLength <= bytes.count {
      var reader = ByteReader(Array(bytes[offset..<(offset + Self.recordLength)]))
      offset += Self.recordLength
      guard let (known, settled) = try? Self.decode(&reader) else { continue }
      let key = Key(device: known.record.device, inode: known.record.inode)
      if settled {
        loaded[key] = known
      } else {
        // The entry stays the same, but its content counts as new.
        let unknown = FileRecord(
          device: known.record.device, inode: known.record.inode, size: -1,
          modified: FileTime(seconds: 0), changed: FileTime(seconds: 0))
        loaded[key] = Known(entry: known.entry, version: known.version, record: unknown)
      }
    }
    state.withLock { $0.known = loaded }
  }

  private static func encode(_ known: Known, settled: Bool) -> [UInt8] {
    var writer = ByteWriter(reserving: recordLength)
    writer.put(known.entry)
    writer.put(known.version)
    writer.put(known.record.device)
    writer.put(known.record.inode)
    writer.put(UInt64(bitPattern: known.record.size))
    writer.put(known.record.modified)
    writer.put(known.record.changed)
    writer.put(UInt64(settled ? 1 : 0))
    return writer.bytes
  }

  private static func decode(
    _ reader: inout ByteReader
  ) throws(DecodingFault) -> (Known, settled: Bool) {
    let entry = try reader.randomID()
    let version = try reader.randomID()
    let record = FileRecord(
      device: try reader.uint64(), inode: try reader.uint64(),
      size: Int64(bitPattern: try reader.uint64()),
      modified: try reader.fileTime(), changed: try reader.fileTime())
    return (Known(entry: entry, version: version, record: record), try reader.uint64() == 1)
  }
}

extension FileRecord {
  init(_ stat: Stat) {
    self.init(
      device: stat.dev, inode: stat.ino, size: stat.size, modified: stat.modified,
      changed: stat.changed)
  }
}
