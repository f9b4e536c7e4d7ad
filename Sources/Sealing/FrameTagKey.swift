import Crypto
import Protocol

/// The key of the marks of one bulk stream (AES-128-GMAC, NIST SP 800-38D): it comes with the
/// stream's ticket, over TLS.
package struct FrameTagKey: Sendable {
  private let key: SymmetricKey

  /// nil where the bytes have not their length.
  package init?(_ bytes: [UInt8]) {
    guard bytes.count == BulkTickets.keyLength else { return nil }
    key = SymmetricKey(data: bytes)
  }

  /// The mark of a frame as the `number`th of its stream: so no nonce is used twice. Any thread.
  package func tag(of frame: [UInt8], number: UInt64) -> [UInt8] {
    var nonce = ByteWriter(reserving: 12)
    nonce.put(UInt32(0))
    nonce.put(number)
    guard let nonce = try? AES.GCM.Nonce(data: nonce.bytes),
      let box = try? AES.GCM.seal([UInt8](), using: key, nonce: nonce, authenticating: frame)
    else { preconditionFailure("AES-GCM with a key of its length and a 96-bit nonce always seals") }
    return Array(box.tag)
  }
}
