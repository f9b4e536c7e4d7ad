import Glibc
import System
import Transport

/// The content of an open file, or a part of it, as an answer.
// SAFETY: called by one thread at a time.
final class FileSource: WebSource, @unchecked Sendable {
  private let file: OwnedDescriptor
  private var offset: Int64
  private let end: Int64
  private let meter: GuestMeter?

  /// Bytes that are read at once.
  private static let piece: Int64 = 1 << 20

  /// `range`: of the file's bytes. `meter`: what counts and slows what a guest reads.
  init(_ file: OwnedDescriptor, range: Range<Int64>, meter: GuestMeter?) {
    self.file = file
    offset = range.lowerBound
    end = range.upperBound
    self.meter = meter
    posix_fadvise(file.raw, off_t(offset), off_t(range.count), POSIX_FADV_SEQUENTIAL)
  }

  func next() throws -> WebPiece {
    guard offset < end else { return .end }
    if let wait = try meter?.wait() { return .wait(wait) }
    let wanted = Int(min(Self.piece, end - offset))
    let bytes = try Self.read(file, at: offset, wanted)
    offset += Int64(bytes.count)
    meter?.count(bytes.count)
    // It has become shorter: what was promised will not come.
    return bytes.isEmpty ? .end : .bytes(bytes)
  }

  func close() {}

  static func read(
    _ file: OwnedDescriptor, at offset: Int64, _ count: Int
  ) throws(SystemError) -> [UInt8] {
    var failure: SystemError?
    // SAFETY: `pread` writes at most `count` bytes, and says how many.
    let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, written in
      do throws(SystemError) {
        written = try retryingOnInterrupt("read") {
          pread(file.raw, buffer.baseAddress, count, off_t(offset))
        }
      } catch {
        failure = error
        written = 0
      }
    }
    if let failure { throw failure }
    return bytes
  }
}
