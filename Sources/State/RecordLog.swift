import Glibc
import Protocol
import Sealing
package import System

/// An append-only file of checked records behind a first line (`StateFile`): what was appended
/// survives the process. No fsync per record: a machine's crash may lose the end.
///
/// A record is UInt32 length, UInt32 that length inverted, 8 bytes of `Checksum`, the bytes. Since
/// a length that is not what was written shows itself, a record that a crash cut off is told from
/// one that was damaged later.
package final class RecordLog: Sendable {
  /// Bytes of a record before its own.
  private static let headLength = 16
  /// Bytes of one record at most.
  static let recordLimit = 1 << 20

  private struct Open {
    var file: OwnedDescriptor
    /// Bytes in the file when it was made, and now, up to the end of the last whole record.
    var bytesAtFirst: Int
    var bytes: Int
    /// Whether something may lie behind `bytes`: an append failed half way.
    var isTorn = false
    /// It is not made anew before it has this many bytes: that failed the last time.
    var worthFrom = 0
  }

  /// Where making it anew failed, it is tried again when there is so much more: each try costs a
  /// whole log.
  private static let nextTry = 16 << 20

  package let path: String
  private let kind: StateKind
  /// A log this long is worth making anew.
  private let worthRewriting: Int
  private let current: Locked<Open>

  /// Makes a log that holds `records`, in the place of any that is there; durable on return.
  /// `worthRewriting`: bytes from which it is worth making anew.
  package convenience init(
    _ kind: StateKind, _ path: String, replacingWith records: some Sequence<[UInt8]>,
    worthRewriting: Int = 64 << 20
  ) throws(SystemError) {
    let bytes = Self.file(kind, records)
    var made: OwnedDescriptor?
    try File.replace(path, bytes, mode: 0o600) { made = $0 }
    guard let made else { preconditionFailure("what was replaced has a file") }
    self.init(
      kind, path, Open(file: made, bytesAtFirst: bytes.count, bytes: bytes.count), worthRewriting)
  }

  /// Goes on with a log that ends with a whole record. `first`: the records with which it was made.
  package convenience init(
    _ kind: StateKind, goingOnAt path: String, behind first: some Sequence<[UInt8]>,
    worthRewriting: Int = 64 << 20
  ) throws(SystemError) {
    let file = OwnedDescriptor(
      try retryingOnInterrupt("open \(path)") {
        open(path.cPath, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW)
      })
    let bytesAtFirst = first.reduce(StateFile.logLine(kind).count) {
      $0 + Self.headLength + $1.count
    }
    let bytes = Int(try Stat(descriptor: file.raw).size)
    self.init(
      kind, path, Open(file: file, bytesAtFirst: bytesAtFirst, bytes: bytes), worthRewriting)
  }

  private init(_ kind: StateKind, _ path: String, _ open: Open, _ worthRewriting: Int) {
    self.kind = kind
    self.path = path
    self.worthRewriting = worthRewriting
    current = Locked(open)
  }

  /// Makes a log that nobody appends to for now; durable on return.
  package static func write(
    _ kind: StateKind, _ path: String, _ records: some Sequence<[UInt8]>
  ) throws(SystemError) {
    try File.writeAtomically(path, file(kind, records), mode: 0o600)
  }

  /// Whether most of the log is history that a fresh one would not have.
  package var isWorthRewriting: Bool {
    current.withLock {
      $0.bytes > worthRewriting && $0.bytes > 4 * $0.bytesAtFirst && $0.bytes >= $0.worthFrom
    }
  }

  /// Makes the log anew with `records` only; durable on return. Where that fails, the old one goes
  /// on. Any thread.
  package func rewrite(with records: some Sequence<[UInt8]>) throws(SystemError) {
    let bytes = Self.file(kind, records)
    do throws(SystemError) {
      try File.replace(path, bytes, mode: 0o600) { file in
        current.withLock {
          $0 = Open(file: file, bytesAtFirst: bytes.count, bytes: bytes.count)
        }
      }
    } catch {
      current.withLock { $0.worthFrom = $0.bytes + Self.nextTry }
      throw error
    }
  }

  /// Appends a record: one write to the page cache. What fails half way is taken back, now or
  /// before the next record, so that nothing ever follows a torn one. Any thread.
  package func append(_ record: [UInt8]) throws(SystemError) {
    let framed = Self.framed(record)
    let failure = current.withLock { current -> SystemError? in
      do throws(SystemError) {
        if current.isTorn { try cut(current) }
        current.isTorn = true
        try File.writeAll(framed, to: current.file.raw, path)
        current.bytes += framed.count
        current.isTorn = false
        return nil
      } catch {
        if (try? cut(current)) != nil { current.isTorn = false }
        return error
      }
    }
    if let failure { throw failure }
  }

  private func cut(_ current: Open) throws(SystemError) {
    try retryingOnInterrupt("truncate \(path)") {
      ftruncate(current.file.raw, off_t(current.bytes))
    }
  }

  /// Waits until all that was appended is on the disk.
  package func synchronise() throws(SystemError) {
    let file = current.withLock { $0.file }
    try retryingOnInterrupt("fsync \(path)") { fsync(file.raw) }
  }
}

// MARK: - Reading

extension RecordLog {
  /// How a log ends.
  package enum End: Equatable, Sendable {
    /// With a whole record.
    case whole
    /// With a record that a crash cut off; so many bytes of it are there.
    case torn(bytes: Int)
    /// At this byte there is something that nobody wrote so.
    case damaged(at: Int)
  }

  /// What a log holds, up to its end or the first damage.
  package struct Content: Sendable {
    package var records: [[UInt8]] = []
    package var end = End.whole
    /// Whether it is of the format without a first line.
    package var isOlder = false
  }

  /// Reads a log; nil where there is no file. It may be written meanwhile. Throws where it cannot
  /// be read, or is of a later format.
  package static func load(_ kind: StateKind, _ path: String) throws(StateFault) -> Content? {
    guard let bytes = try StateFile.read(kind, path) else { return nil }
    do throws(StateFault) {
      switch try StateFile.opened(kind, path, bytes, isLog: true) {
      case .body(let body): return scan(body, isOlder: false, from: bytes.count - body.count)
      case .older(let body) where kind == .index: return olderIndex(body)
      case .older(let body):
        if body.isEmpty { return Content(end: .damaged(at: 0)) }
        var content = scan(body, isOlder: true, from: 0)
        content.isOlder = true
        // What cannot be brought up to date stays as it is, and makes no sense to whoever decodes
        // it.
        if kind == .journal {
          content.records = content.records.map { (try? OlderJournal.current($0)) ?? $0 }
        }
        return content
      }
    } catch {
      if error.reason == .damaged { return Content(end: .damaged(at: 0)) }
      throw error
    }
  }

  /// `isOlder`: of the format without a first line, whose records had a 32-bit FNV-1a and nothing
  /// else.
  private static func scan(_ bytes: [UInt8], isOlder: Bool, from start: Int) -> Content {
    var content = Content()
    let head = isOlder ? 8 : headLength
    var position = 0
    while position < bytes.count {
      let left = bytes.count - position
      guard left >= head else {
        content.end = .torn(bytes: left)
        break
      }
      let length = uint32(bytes, position)
      let isLength = isOlder || uint32(bytes, position + 4) == ~length
      guard isLength, length <= recordLimit else {
        // Some file systems give zeros for what was not written before the machine crashed.
        let isUnwritten = bytes[position...].allSatisfy { $0 == 0 }
        content.end = isUnwritten ? .torn(bytes: left) : .damaged(at: start + position)
        break
      }
      let end = position + head + Int(length)
      guard end <= bytes.count else {
        let isDamage = isOlder && hasOlderRecord(bytes, behind: position)
        content.end = isDamage ? .damaged(at: position) : .torn(bytes: left)
        break
      }
      let record = Array(bytes[(position + head)..<end])
      let sum = bytes[(position + (isOlder ? 4 : 8))..<(position + head)]
      guard sum.elementsEqual(isOlder ? fnv1a(record) : Checksum.of(record)) else {
        content.end = .damaged(at: start + position)
        break
      }
      content.records.append(record)
      position = end
    }
    return content
  }

  /// The older format did not check its lengths: one that leads behind the end is damage where a
  /// record follows.
  private static func hasOlderRecord(_ bytes: [UInt8], behind position: Int) -> Bool {
    // The longest record of keys and decisions is far shorter.
    for start in position + 1..<max(position + 1, min(position + 4_096, bytes.count - 8)) {
      let end = start + 8 + Int(uint32(bytes, start))
      guard end > start + 8, end <= bytes.count else { continue }
      if bytes[(start + 4)..<(start + 8)].elementsEqual(fnv1a(Array(bytes[(start + 8)..<end]))) {
        return true
      }
    }
    return false
  }

  /// Format 1 of the index had records of one length, unchecked: they are compared with the files
  /// themselves.
  private static func olderIndex(_ bytes: [UInt8]) -> Content {
    let length = 80
    let starts = stride(from: 0, to: bytes.count - bytes.count % length, by: length)
    return Content(records: starts.map { Array(bytes[$0..<($0 + length)]) })
  }

  private static func uint32(_ bytes: [UInt8], _ at: Int) -> UInt32 {
    (0..<4).reduce(0) { $0 | UInt32(bytes[at + $1]) << UInt32(8 * $1) }
  }

  /// 32-bit FNV-1a, as of the FNV page by Landon Curt Noll, little-endian.
  private static func fnv1a(_ bytes: [UInt8]) -> [UInt8] {
    let hash = bytes.reduce(0x811c_9dc5 as UInt32) { ($0 ^ UInt32($1)) &* 0x0100_0193 }
    return (0..<4).map { UInt8(truncatingIfNeeded: hash >> (8 * $0)) }
  }

  private static func file(_ kind: StateKind, _ records: some Sequence<[UInt8]>) -> [UInt8] {
    var bytes = StateFile.logLine(kind)
    for record in records { bytes += framed(record) }
    return bytes
  }

  private static func framed(_ record: [UInt8]) -> [UInt8] {
    precondition(record.count <= recordLimit, "a record is smaller than its limit")
    var writer = ByteWriter(reserving: record.count + headLength)
    writer.put(UInt32(record.count))
    writer.put(~UInt32(record.count))
    writer.putFixed(Checksum.of(record), count: Checksum.length)
    writer.putFixed(record, count: record.count)
    return writer.bytes
  }
}
