import Crypto
import FoundationEssentials
package import Protocol
import Synchronization

/// What the two ends of one line seal its frames with: a key for each way, which only they have.
/// Any thread.
///
/// Frames are numbered as they are sealed, and the number is the nonce: several threads seal at a
/// time, so they may leave a little out of that order, and each is taken once.
package final class LineSeal: Sendable {
  /// Bytes that are drawn from the handshake.
  package static let secretLength = 32
  /// What they are drawn for (RFC 8446, 7.5).
  package static let label = "EXPORTER-fsharefs line 1"

  private static let nonceLength = 12
  private let sending: SymmetricKey
  private let receiving: SymmetricKey
  private let next = Atomic<UInt64>(0)
  private let taken = Mutex(TakenNumbers())

  /// `secret`: of the handshake; `dialled`: whether this end began it. Requires: `secretLength`
  /// bytes.
  package init(secret: [UInt8], dialled: Bool) {
    precondition(secret.count == Self.secretLength, "the secret of a line has its one length")
    let (first, second) = (SymmetricKey(data: secret[..<16]), SymmetricKey(data: secret[16...]))
    (sending, receiving) = dialled ? (first, second) : (second, first)
  }

  /// A whole CHUNK_READY around `length` plain bytes that `read` writes, and by what it can be
  /// known again. nil where `read` threw or gave fewer bytes.
  package func frame(
    _ key: LeafKey, length: Int, read: (UnsafeMutableRawBufferPointer) throws -> Int
  ) -> (frame: [UInt8], mark: LeafMark)? {
    guard let plain = LeafBuffer.filled(length, by: read) else { return nil }
    let header = BulkFrame.header(key, payload: length + SealCipher.overhead)
    let frame = SealCipher.sealed(
      plain, under: sending, boundTo: header, behind: header, nonce: nextNonce())
    return (frame, LeafMark(of: frame, key: key, line: sending))
  }

  /// A whole frame around a message; empty: that this end is ready.
  package func frame(message: [UInt8]) -> [UInt8] {
    let header = DirectFrame.header(payload: message.count + SealCipher.overhead)
    return SealCipher.sealed(
      message, under: sending, boundTo: header, behind: header, nonce: nextNonce())
  }

  /// What is sealed in a frame. nil unless the other end sealed it, and it was not taken before.
  package func open(_ frame: [UInt8], isMessage: Bool) -> [UInt8]? {
    let offset = isMessage ? DirectFrame.payloadOffset : BulkFrame.payloadOffset
    guard frame.count >= offset + SealCipher.overhead else { return nil }
    let nonce = frame[offset..<(offset + Self.nonceLength)]
    guard
      let plain = SealCipher.opened(
        frame[offset...], under: receiving, boundTo: Array(frame[..<offset]))
    else { return nil }
    // Only the lowest 64 bits count; the other end sets no others.
    guard nonce.prefix(4).allSatisfy({ $0 == 0 }) else { return nil }
    let number = nonce.suffix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    return taken.withLock { $0.take(number) } ? plain : nil
  }

  private func nextNonce() -> [UInt8] {
    let number = next.wrappingAdd(1, ordering: .relaxed).oldValue
    return [0, 0, 0, 0] + (0..<8).map { UInt8(truncatingIfNeeded: number >> (56 - 8 * $0)) }
  }
}

/// Which numbers of frames were taken: each once, and none that is far behind the latest (RFC 4303,
/// 3.4.3).
struct TakenNumbers: Sendable {
  private static let window: UInt64 = 64
  /// One more than the highest.
  private var end: UInt64 = 0
  /// Of the numbers below `end`: the lowest bit is the highest number.
  private var seen: UInt64 = 0

  /// Returns: false where it was taken before, or is too far behind.
  mutating func take(_ number: UInt64) -> Bool {
    guard number < .max else { return false }
    if number >= end {
      let step = number + 1 - end
      seen = step < Self.window ? seen << step | 1 : 1
      end = number + 1
      return true
    }
    let age = end - 1 - number
    guard age < Self.window, seen & 1 << age == 0 else { return false }
    seen |= 1 << age
    return true
  }
}

/// Plain bytes of a leaf that is about to be sealed.
enum LeafBuffer {
  /// `length` bytes that `read` writes. nil where it threw or gave fewer.
  static func filled(
    _ length: Int, by read: (UnsafeMutableRawBufferPointer) throws -> Int
  ) -> [UInt8]? {
    let plain = [UInt8](unsafeUninitializedCapacity: length) { buffer, count in
      // SAFETY: bytes count as the array's once `read` has written all of them.
      count = (try? read(UnsafeMutableRawBufferPointer(buffer))) == length ? length : 0
    }
    return plain.count == length ? plain : nil
  }
}
