import Crypto
import FoundationEssentials
package import Protocol

/// By what a leaf that was sealed and sent can be known again, without its bytes: the nonce and the
/// tag of its seal. With the same key and nonce another content has another tag, but for one chance
/// in 2^100.
package struct LeafMark: Equatable, Sendable {
  /// What it was sealed as.
  package let key: LeafKey
  /// Plain bytes.
  package let length: Int
  private let nonce: [UInt8]
  private let tag: [UInt8]
  /// Of the line that it went by; nil: it is the group's.
  private let line: SymmetricKey?

  private static let nonceLength = 12
  private static let tagLength = 16

  /// Of a frame that `Sealer.frame` made for `key`.
  package init(of frame: [UInt8], key: LeafKey) { self.init(of: frame, key: key, line: nil) }

  /// Of a frame that was sealed for `key` with that of a line.
  init(of frame: [UInt8], key: LeafKey, line: SymmetricKey?) {
    self.key = key
    self.line = line
    length = frame.count - BulkFrame.payloadOffset - SealCipher.overhead
    precondition(length >= 0, "a frame has its head and its seal")
    nonce = Array(frame[BulkFrame.payloadOffset..<(BulkFrame.payloadOffset + Self.nonceLength)])
    tag = Array(frame.suffix(Self.tagLength))
  }

  /// Whether these are the bytes that were sealed. False too where the key of that time is no
  /// longer known. Complexity: O(bytes). The seal that is made for it never leaves this function,
  /// since its nonce was used before.
  package func isOf(_ plain: [UInt8], _ sealer: Sealer) -> Bool {
    guard plain.count == length, let secret = line ?? sealer.leafKey(key),
      let nonce = try? AES.GCM.Nonce(data: nonce),
      let box = try? AES.GCM.seal(
        plain, using: secret, nonce: nonce,
        authenticating: BulkFrame.header(key, payload: length + SealCipher.overhead))
    else { return false }
    return Array(box.tag) == tag
  }
}
