/// The frame of the bulk plane: CHUNK_READY, one sealed leaf with its key in front.
///
///     0  UInt32 length of all that follows      16  entry (16 bytes)
///     4  UInt8 opcode   5  UInt8 scale          32  version (16 bytes)
///     6  UInt16 zero    8  UInt32 generation    48  UInt64 leaf index
///     12 UInt32 owner                           56  sealed leaf
///
/// The hub passes a frame on, keeps it and gives it to several askers without looking behind the
/// key.
package enum BulkFrame {
  /// Bytes of the length field.
  package static let lengthField = 4
  /// Bytes between the length field and the sealed leaf.
  package static let headerLength = 52
  /// Bytes in front of the sealed leaf.
  package static let payloadOffset = lengthField + headerLength
  /// A frame that only shows that its sender is alive: length 1, this opcode.
  package static let keepAlive: UInt8 = 0
  /// A frame that carries a leaf.
  package static let chunkReady: UInt8 = 1

  /// The 56 bytes in front of `payload` bytes of sealed leaf.
  package static func header(_ key: LeafKey, payload: Int) -> [UInt8] {
    var writer = ByteWriter(reserving: payloadOffset)
    writer.put(UInt32(headerLength + payload))
    writer.put(chunkReady)
    writer.put(key.scale)
    writer.put(UInt16(0))
    writer.put(key.generation)
    writer.put(key.owner)
    writer.put(key.entry)
    writer.put(key.version)
    writer.put(key.index)
    return writer.bytes
  }

  /// The key of a whole frame; throws on anything that is not a CHUNK_READY of a possible size.
  package static func key(of frame: [UInt8]) throws(DecodingFault) -> LeafKey {
    var reader = ByteReader(frame)
    guard try reader.uint32() == UInt32(clamping: frame.count - lengthField) else {
      throw .invalid("frame length")
    }
    guard try reader.uint8() == chunkReady else { throw .invalid("frame opcode") }
    let scale = try reader.uint8()
    try checkScale(scale)
    guard try reader.uint16() == 0 else { throw .invalid("reserved field") }
    let generation = try reader.uint32()
    let owner = try reader.publicID()
    let entry = try reader.randomID()
    let version = try reader.randomID()
    let index = try reader.uint64()
    if index > Limits.fileSize >> UInt64(scale) { throw .invalid("leaf index") }
    if reader.remaining > (1 << Int(scale)) + Limits.sealOverhead { throw .tooLong("a leaf") }
    return LeafKey(
      owner: owner, entry: entry, version: version, scale: scale, generation: generation,
      index: index)
  }

  static func checkScale(_ scale: UInt8) throws(DecodingFault) {
    guard (Limits.smallestScale...Limits.leafScale).contains(scale) else {
      throw .invalid("piece size")
    }
  }
}
