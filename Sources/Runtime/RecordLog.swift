import Glibc
import Protocol
import System

/// An append-only file of checked records: what was appended survives the process, and a record that a crash
/// tore in two is dropped with all behind it. No fsync per record: a machine's crash may lose the tail.
///
/// A record is UInt32 length, UInt32 FNV-1a of the bytes, the bytes.
final class RecordLog: Sendable {
  /// Bytes of one record at most.
  static let recordLimit = 1 << 20
  private static let fileLimit = 1 << 32

  private struct Open {
    let file: OwnedDescriptor
    /// Bytes in the file when it was made, and now.
    let bytesAtFirst: Int
    var bytes: Int
  }

  /// A log this long is worth making anew.
  private static let worthRewriting = 64 << 20

  let path: String
  private let current: Locked<Open>

  /// Makes a log that holds `records`, in the place of any that is there; durable on return.
  init(path: String, replacingWith records: [[UInt8]]) throws(SystemError) {
    self.path = path
    current = Locked(try Self.make(path, records))
  }

  /// Whether most of the log is history that a fresh one would not have.
  var isWorthRewriting: Bool {
    current.withLock { $0.bytes > Self.worthRewriting && $0.bytes > 4 * $0.bytesAtFirst }
  }

  /// Makes the log anew with `records` only; durable on return. Any thread.
  func rewrite(with records: [[UInt8]]) throws(SystemError) {
    let made = try Self.make(path, records)
    current.withLock { $0 = made }
  }

  private static func make(_ path: String, _ records: [[UInt8]]) throws(SystemError) -> Open {
    var bytes: [UInt8] = []
    for record in records { bytes += framed(record) }
    try File.writeAtomically(path, bytes, mode: 0o600)
    let file = OwnedDescriptor(
      try retryingOnInterrupt("open \(path)") { open(path.cPath, O_WRONLY | O_APPEND | O_CLOEXEC) })
    return Open(file: file, bytesAtFirst: bytes.count, bytes: bytes.count)
  }

  /// Appends a record: one write to the page cache. Any thread.
  func append(_ record: [UInt8]) throws(SystemError) {
    let framed = Self.framed(record)
    var failure: SystemError?
    current.withLock { current in
      do throws(SystemError) { try File.writeAll(framed, to: current.file.raw, path) } catch {
        failure = error
      }
      current.bytes += framed.count
    }
    if let failure { throw failure }
  }

  /// Waits until all that was appended is on the disk.
  func synchronise() throws(SystemError) {
    let file = current.withLock { $0.file }
    try retryingOnInterrupt("fsync \(path)") { fsync(file.raw) }
  }

  /// The records of a log, up to the first that is damaged; nil where there is no file.
  static func load(_ path: String) throws(SystemError) -> [[UInt8]]? {
    let bytes: [UInt8]
    do throws(SystemError) {
      bytes = try File.readAll(path, limit: fileLimit)
    } catch {
      if error.code == ENOENT { return nil }
      throw error
    }
    var records: [[UInt8]] = []
    var position = 0
    while position + 8 <= bytes.count {
      var reader = ByteReader(Array(bytes[position..<(position + 8)]))
      guard let length = try? reader.uint32(), let check = try? reader.uint32(),
        length <= recordLimit, position + 8 + Int(length) <= bytes.count
      else { break }
      let record = Array(bytes[(position + 8)..<(position + 8 + Int(length))])
      if fnv1a(record) != check { break }
      records.append(record)
      position += 8 + Int(length)
    }
    return records
  }

  private static func framed(_ record: [UInt8]) -> [UInt8] {
    precondition(record.count <= recordLimit, "a record is smaller than its limit")
    var writer = ByteWriter(reserving: record.count + 8)
    writer.put(UInt32(record.count))
    writer.put(fnv1a(record))
    return writer.bytes + record
  }

  /// 32-bit FNV-1a, as of the FNV page by Landon Curt Noll: it finds torn records, not forged ones.
  private static func fnv1a(_ bytes: [UInt8]) -> UInt32 {
    bytes.reduce(0x811c_9dc5) { ($0 ^ UInt32($1)) &* 0x0100_0193 }
  }
}
