import Core
import Protocol
package import State
import System

/// Which entry and version each own file was announced as. Only a cache of the own folder: a file
/// that does not match its record is a new version, and losing the index costs fetching again,
/// nothing else.
package final class OwnIndex: Sendable {
  struct Known: Equatable, Sendable {
    let entry: EntryID
    let version: Version
    let record: FileRecord
  }

  private struct State {
    var known = KnownFiles()
    var log: RecordLog?
    /// What was noted since the scan began; nil once it has ended.
    var seen: KnownFiles? = KnownFiles()
  }

  /// A ctime less than this before it was recorded may hide a change in the same tick.
  private static let settlingTime: Duration = .seconds(2)
  private static let recordLength = 88
  /// Of format 1, whose times were nanoseconds in 64 bits.
  private static let olderRecordLength = 80
  private let path: String
  /// What a person is to hear of the file; nil where all is well.
  package let remark: String?
  private let state = Locked(State())

  /// Reads what is there. Damage is no fault, since every record is checked against the file
  /// itself; an index of a later format is. Nothing is written.
  package init(path: String) throws(StateFault) {
    self.path = path
    let bytes: [[UInt8]]
    switch try RecordLog.load(.index, path) {
    case nil: (bytes, remark) = ([], nil)
    case let content?:
      bytes = content.records
      if case .damaged(let position) = content.end {
        remark = "\(StateFault.damaged(.index, path, "at byte \(position)"))"
      } else {
        remark = nil
      }
    }
    load(bytes)
  }

  /// Begins to write: what the scan noted is kept, in a fresh file. Call once, after the scan.
  func beginWriting() throws(SystemError) {
    let records = state.withLock { state in
      if let seen = state.seen { state.known = seen }
      state.seen = nil
      return state.known.all.map { Self.encode($0, settled: true) }
    }
    let log = try RecordLog(.index, path, replacingWith: records)
    state.withLock { $0.log = log }
  }

  /// What a file of this identity was announced as, if it is still the same.
  func lookup(_ record: FileRecord) -> (entry: EntryID, version: Version?)? {
    guard let known = state.withLock({ $0.known[record] }) else { return nil }
    return (known.entry, known.record == record ? known.version : nil)
  }

  /// Notes what a file was announced as. One small write to the page cache.
  func note(_ entry: EntryID, _ version: Version, _ record: FileRecord) {
    let known = Known(entry: entry, version: version, record: record)
    let settled = FileTime.now.elapsed(since: record.changed) >= Self.settlingTime
    state.withLock { state in
      state.known.put(known)
      state.seen?.put(known)
      // A lost record is a new version later, no more: an error here is no error of the program's.
      try? state.log?.append(Self.encode(known, settled: settled))
    }
  }

  /// At a clean end: records that have settled since they were noted are written as such.
  package func writeSettled() {
    let now = FileTime.now
    let records = state.withLock { state in
      state.known.all.map {
        Self.encode(
          $0, settled: now.elapsed(since: $0.record.changed) >= Self.settlingTime)
      }
    }
    try? RecordLog.write(.index, path, records)
  }

  private func load(_ records: [[UInt8]]) {
    var loaded = KnownFiles()
    for record in records {
      var reader = ByteReader(record)
      guard let (known, settled) = try? Self.decode(&reader) else { continue }
      if settled {
        loaded.put(known)
      } else {
        // The entry stays the same, but its content counts as new.
        let unknown = FileRecord(
          device: known.record.device, inode: known.record.inode, size: -1,
          modified: FileTime(seconds: 0), changed: FileTime(seconds: 0))
        loaded.put(Known(entry: known.entry, version: known.version, record: unknown))
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
    let isOlder = reader.remaining == olderRecordLength
    func time() throws(DecodingFault) -> FileTime {
      guard isOlder else { return try reader.fileTime() }
      let (seconds, rest) = Int64(bitPattern: try reader.uint64())
        .quotientAndRemainder(dividingBy: Int64(FileTime.nanosecondsPerSecond))
      let second = FileTime(seconds: seconds, nanoseconds: UInt32(max(0, rest)))
      // Before 1970 the remainder counts backwards; such a file counts as changed, which costs
      // fetching again.
      return second ?? FileTime(seconds: seconds)
    }
    let entry = try reader.randomID()
    let version = try reader.randomID()
    let record = FileRecord(
      device: try reader.uint64(), inode: try reader.uint64(),
      size: Int64(bitPattern: try reader.uint64()),
      modified: try time(), changed: try time())
    return (Known(entry: entry, version: version, record: record), try reader.uint64() == 1)
  }
}

/// What is known of each file, by device and inode.
private struct KnownFiles {
  private var files = Arena<OwnIndex.Known>()
  private var byFile = IndexTable()

  /// What is known of the file that a record is of.
  subscript(record: FileRecord) -> OwnIndex.Known? { number(of: record).map { files[$0] } }

  var all: some Sequence<OwnIndex.Known> { (0..<files.end).lazy.map { files[$0] } }

  mutating func put(_ known: OwnIndex.Known) {
    if let number = number(of: known.record) {
      files[number] = known
    } else {
      let number = files.insert(known)
      byFile.insert(Self.hash(known.record), number)
    }
  }

  private func number(of record: FileRecord) -> UInt32? {
    byFile.find(Self.hash(record)) { files[$0].record.isSameFile(record) }
  }

  private static func hash(_ record: FileRecord) -> UInt64 {
    IndexTable.hash(FileIdentity(device: record.device, inode: record.inode))
  }
}
