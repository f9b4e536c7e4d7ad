import Protocol

/// Records of the journal's format 1, in which the time of an entry was nanoseconds in 64 bits,
/// decisions had no date, and changes and pages no history: they get none, so that the list goes on
/// in a new epoch.
enum OlderJournal {
  /// The record as format 2 has it. Throws where it cannot be one of format 1.
  static func current(_ record: [UInt8]) throws(DecodingFault) -> [UInt8] {
    var copy = Copy(reader: ByteReader(record))
    switch try copy.uint8() {
    // Changes, and answers that are kept.
    case 2, 4:
      let opcode = Opcode(rawValue: try copy.uint16())
      let isDecision = opcode == .clientApproved || opcode == .clientDisApproved
      // Order and public id; or order, sender and transfer id.
      try copy.bytes(isDecision ? 20 : 36)
      if isDecision { copy.writer.put(UInt32(0)) }
      var body = Copy(reader: ByteReader(try copy.reader.bytes32(atMost: Limits.controlMessage)))
      body.writer.put(History.none)
      if isDecision { try body.member() }
      if opcode == .filesAdded {
        for _ in 0..<(try body.uint32()) { try body.entry() }
      }
      try body.bytes(body.reader.remaining)
      copy.writer.putBytes32(body.writer.bytes)
    // A part of a snapshot: its order, then members and entries.
    case 3:
      try copy.bytes(16)
      copy.writer.put(PublicID.master)
      copy.writer.put(ListMark.none)
      for _ in 0..<(try copy.uint32()) {
        if try copy.uint8() == 1 {
          // Owner and claim.
          try copy.bytes(12)
          try copy.entry()
        } else {
          try copy.member()
        }
      }
    default: return record
    }
    try copy.reader.finish()
    return copy.writer.bytes
  }

  /// Takes from an older record, and puts into the new one.
  private struct Copy {
    var reader: ByteReader
    var writer = ByteWriter()

    mutating func bytes(_ count: Int) throws(DecodingFault) {
      writer.putFixed(try reader.fixed(count), count: count)
    }

    mutating func uint8() throws(DecodingFault) -> UInt8 {
      let value = try reader.uint8()
      writer.put(value)
      return value
    }

    mutating func uint16() throws(DecodingFault) -> UInt16 {
      let value = try reader.uint16()
      writer.put(value)
      return value
    }

    mutating func uint32() throws(DecodingFault) -> UInt32 {
      let value = try reader.uint32()
      writer.put(value)
      return value
    }

    /// Bytes behind a 16-bit length.
    mutating func bytes16() throws(DecodingFault) { try bytes(Int(try uint16())) }

    mutating func entry() throws(DecodingFault) {
      try bytes(16)
      let kind = try uint8()
      // Version and size.
      try bytes(24)
      let time = Int64(bitPattern: try reader.uint64())
      let second = Int64(FileTime.nanosecondsPerSecond)
      // Counted forwards, also before 1970.
      let rest = (time % second + second) % second
      let seconds = time / second - (time % second < 0 ? 1 : 0)
      writer.put(UInt64(bitPattern: seconds))
      writer.put(UInt32(rest))
      try bytes(2)
      try bytes16()
      try bytes16()
      // A file that has grown: its beginning.
      if kind == 4 { try bytes(16) }
    }

    mutating func member() throws(DecodingFault) {
      try bytes(5)
      try bytes16()
      if try uint8() == 1 { try bytes(2 * DeviceKey.partLength) }
      writer.put(UInt32(0))
    }
  }
}
