/// The frames of a line between two members. Each is sealed under keys that only its two ends have;
/// its nonce is the number of the frame among those of its sender.
///
///     CHUNK_READY as on the bulk plane (`BulkFrame`), sealed so
///     0  UInt32 length of all that follows     8  nonce (12), ciphertext, tag (16)
///     4  UInt8 opcode 2   5  three zero bytes
///
/// Behind the seal of the second kind is nothing (the sender is ready), or a control message:
/// REQUEST_CHUNK or CHUNK_FAILED.
package enum DirectFrame {
  /// A frame that carries a message.
  package static let message: UInt8 = 2
  /// Bytes in front of what is sealed of it: what the seal is bound to.
  package static let payloadOffset = 8
  /// What is sealed is no longer than this: a request or a failure.
  package static let messageLimit = 256

  /// The 8 bytes in front of `payload` bytes of a sealed message.
  package static func header(payload: Int) -> [UInt8] {
    var writer = ByteWriter(reserving: payloadOffset + payload)
    writer.put(UInt32(4 + payload))
    writer.put(message)
    for _ in 0..<3 { writer.put(UInt8(0)) }
    return writer.bytes
  }

  /// Whether a whole frame carries a message rather than a leaf. Throws where it is neither, or
  /// longer than a message may be.
  package static func isMessage(_ frame: [UInt8]) throws(DecodingFault) -> Bool {
    guard frame.count > payloadOffset else { throw .truncated }
    switch frame[BulkFrame.lengthField] {
    case BulkFrame.chunkReady: return false
    case message:
      guard frame[5..<payloadOffset].allSatisfy({ $0 == 0 }) else { throw .invalid("frame") }
      if frame.count > payloadOffset + messageLimit { throw .tooLong("a message on a line") }
      return true
    default: throw .invalid("frame opcode")
    }
  }
}
