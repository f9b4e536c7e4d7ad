package import Protocol

/// The one place that entries and leaves pass on their way to and from the wire.
///
/// What goes through here is all that the hub cannot be trusted with: bodies of messages about the list,
/// and leaves. This build has one codec behind it, `plain`, which changes nothing; a sealed one takes
/// its place without any caller noticing, since lengths and generations are already its to choose.
package struct Sealer: Sendable {
  /// Generation of the group key that new leaves are sealed with; 0: plain.
  package let generation: UInt32

  private init(generation: UInt32) { self.generation = generation }

  /// Nothing is hidden; what comes is what was sent.
  package static let plain = Sealer(generation: 0)

  /// The message with its body sealed, where it has one.
  package func seal(_ message: Message) -> Message { message }

  /// The message with its body opened; nil where it cannot be.
  package func open(_ message: Message) -> Message? { message }

  /// A whole CHUNK_READY frame around `length` bytes that `read` writes in place.
  /// Returns: nil where `read` threw or gave fewer bytes. Copies nothing.
  package func frame(
    _ key: LeafKey, length: Int, read: (UnsafeMutableRawBufferPointer) throws -> Int
  ) -> [UInt8]? {
    let header = BulkFrame.header(key, payload: length)
    var isWhole = false
    let frame = [UInt8](unsafeUninitializedCapacity: header.count + length) { buffer, count in
      // SAFETY: header and payload lie within the capacity; all `count` bytes are written before use.
      let raw = UnsafeMutableRawBufferPointer(buffer)
      raw.copyBytes(from: header)
      let payload = UnsafeMutableRawBufferPointer(rebasing: raw[header.count...])
      isWhole = (try? read(UnsafeMutableRawBufferPointer(rebasing: payload[..<length]))) == length
      count = isWhole ? header.count + length : 0
    }
    return isWhole ? frame : nil
  }

  /// The leaf in a received frame; nil where it is not what its owner sealed under this key.
  package func open(_ frame: [UInt8], key: LeafKey) -> Leaf? {
    key.generation == generation ? Leaf(frame, from: BulkFrame.payloadOffset) : nil
  }

  /// Where the plain bytes of an opened leaf lie.
  package struct Leaf: Sendable {
    package let storage: [UInt8]
    package let start: Int
    init(_ storage: [UInt8], from start: Int) {
      self.storage = storage
      self.start = start
    }
  }
}
