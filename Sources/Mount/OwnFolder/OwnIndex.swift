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
    var record: FileRecord
    /// Of the name that it was announced with, the last of its path; nil: that was not noted.
    let name: UInt32?
  }

  private struct State {
    var known = KnownFiles()
    var log: RecordLog?
    /// What was noted since the scan began, or since the file is being written; nil once that has
    /// ended.
    var seen: KnownFiles? = KnownFiles()
  }

  /// A ctime less than this before it was recorded may hide a change in the same tick.
  private static let settlingTime: Duration = .seconds(2)
  private static let recordLength = 92
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
      // What is noted while the file is written follows behind.
      state.seen = KnownFiles()
      return state.known.all.map { Self.encode($0, settled: true) }
    }
    defer { state.withLock { $0.seen = nil } }
    let log = try RecordLog(.index, path, replacingWith: records)
    state.withLock { state in
      for known in state.seen!.all { try? log.append(Self.encode(known, settled: false)) }
      state.log = log
    }
  }

  /// What a file of this identity was announced as, if it is still the same.
  func lookup(_ record: FileRecord) -> (entry: EntryID, version: Version?)? {
    guard let known = state.withLock({ $0.known[record] }) else { return nil }
    return (known.entry, known.record == record ? known.version : nil)
  }

  /// Notes what a file was announced as. One small write to the page cache.
  func note(_ entry: Entry, _ record: FileRecord) {
    let known = Known(
      entry: entry.id, version: entry.version, record: record, name: Self.hash(entry.path.name))
    let settled = FileTime.now.elapsed(since: record.changed) >= Self.settlingTime
    state.withLock { state in
      state.known.put(known)
      state.seen?.put(known)
      // A lost record is a new version later, no more: an error here is no error of the program's.
      try? state.log?.append(Self.encode(known, settled: settled))
    }
  }

  /// When a file had its latest change of which this knows; nil where nothing is known of it, or
  /// that it was not shared, or that it had another name.
  func sharedSince(_ record: FileRecord, as name: Name) -> FileTime? {
    guard let known = state.withLock({ $0.known[record] }), !known.record.isForgotten,
      known.name.map({ $0 == Self.hash(name) }) ?? true
    else { return nil }
    return known.record.changed
  }

  /// What is known of a file is not of one that is shared, or not any more: another process is not
  /// to go on with it.
  func forget(_ record: FileRecord) {
    state.withLock { state in
      guard var known = state.known[record] else { return }
      known.record.size = FileRecord.forgotten
      state.known.put(known)
      state.seen?.put(known)
      try? state.log?.append(Self.encode(known, settled: false))
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
        var unsettled = known
        if !known.record.isForgotten { unsettled.record.size = FileRecord.unknown }
        loaded.put(unsettled)
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
    if let name = known.name { writer.put(name) }
    return writer.bytes
  }

  /// FNV-1a: the same in every process, and fast enough for a million at the start.
  private static func hash(_ name: Name) -> UInt32 {
    name.bytes.reduce(0x811c_9dc5) { ($0 ^ UInt32($1)) &* 0x0100_0193 }
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
    let isSettled = try reader.uint64() == 1
    // An earlier program noted none.
    let name = reader.remaining > 0 ? try reader.uint32() : nil
    return (Known(entry: entry, version: version, record: record, name: name), isSettled)
  }
}

extension FileRecord {
  /// The size of a file of whose content nothing is known,
  fileprivate static let unknown: Int64 = -1
  /// and of one that is not shared.
  fileprivate static let forgotten: Int64 = -2

  fileprivate var isForgotten: Bool { size == Self.forgotten }
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
