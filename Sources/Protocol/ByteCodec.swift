/// Why received bytes are not a message of the protocol. Ends that one connection.
package enum DecodingFault: Error, Equatable, Sendable, CustomStringConvertible {
  case truncated
  case trailingBytes
  case unknownOpcode(UInt16)
  case tooLong(String)
  case invalid(String)

  package var description: String {
    switch self {
    case .truncated: "the message ends too early"
    case .trailingBytes: "the message has bytes behind its end"
    case .unknownOpcode(let opcode): "unknown opcode \(opcode)"
    case .tooLong(let what): "\(what) is too long"
    case .invalid(let what): "invalid \(what)"
    }
  }
}

/// Appends fields to a byte array; integers are little-endian.
package struct ByteWriter: Sendable {
  package private(set) var bytes: [UInt8] = []

  package init(reserving capacity: Int = 0) { bytes.reserveCapacity(capacity) }

  package var count: Int { bytes.count }

  package mutating func put(_ value: UInt8) { bytes.append(value) }
  package mutating func put(_ value: Bool) { bytes.append(value ? 1 : 0) }
  package mutating func put(_ value: UInt16) { putInteger(value) }
  package mutating func put(_ value: UInt32) { putInteger(value) }
  package mutating func put(_ value: UInt64) { putInteger(value) }
  package mutating func put(_ value: PublicID) { putInteger(value.value) }
  package mutating func put(_ value: RandomID) {
    putInteger(value.high)
    putInteger(value.low)
  }
  package mutating func put(_ value: ListOrder) {
    putInteger(value.epoch)
    putInteger(value.seq)
  }
  package mutating func put(_ value: TransferID) {
    putInteger(value.incarnation)
    putInteger(value.counter)
  }
  /// Bytes whose number both sides know.
  package mutating func putFixed(_ value: [UInt8], count: Int) {
    precondition(value.count == count, "a fixed field has its one length")
    bytes.append(contentsOf: value)
  }
  /// Bytes behind a 16-bit length.
  package mutating func putBytes16(_ value: [UInt8]) {
    precondition(value.count <= UInt16.max, "a 16-bit length field holds at most 65535")
    putInteger(UInt16(value.count))
    bytes.append(contentsOf: value)
  }
  /// Bytes behind a 32-bit length.
  package mutating func putBytes32(_ value: [UInt8]) {
    putInteger(UInt32(value.count))
    bytes.append(contentsOf: value)
  }
  /// Text as UTF-8 behind a 16-bit length.
  package mutating func put(_ value: String) { putBytes16(Array(value.utf8)) }

  private mutating func putInteger<Value: FixedWidthInteger>(_ value: Value) {
    var rest = value
    for _ in 0..<(Value.bitWidth / 8) {
      bytes.append(UInt8(truncatingIfNeeded: rest))
      rest >>= 8
    }
  }
}

/// Takes fields off a byte array; never reads behind its end, never allocates before a length is
/// checked.
package struct ByteReader: Sendable {
  private let bytes: [UInt8]
  private var position: Int

  package init(_ bytes: [UInt8], from position: Int = 0) {
    self.bytes = bytes
    self.position = position
  }

  package var remaining: Int { bytes.count - position }

  /// Throws unless every byte was read.
  package func finish() throws(DecodingFault) {
    if remaining != 0 { throw .trailingBytes }
  }

  package mutating func uint8() throws(DecodingFault) -> UInt8 {
    guard position < bytes.count else { throw .truncated }
    defer { position += 1 }
    return bytes[position]
  }
  package mutating func bool() throws(DecodingFault) -> Bool {
    switch try uint8() {
    case 0: return false
    case 1: return true
    default: throw .invalid("boolean")
    }
  }
  package mutating func uint16() throws(DecodingFault) -> UInt16 { try integer() }
  package mutating func uint32() throws(DecodingFault) -> UInt32 { try integer() }
  package mutating func uint64() throws(DecodingFault) -> UInt64 { try integer() }
  package mutating func publicID() throws(DecodingFault) -> PublicID { PublicID(try integer()) }
  package mutating func randomID() throws(DecodingFault) -> RandomID {
    RandomID(high: try integer(), low: try integer())
  }
  package mutating func listOrder() throws(DecodingFault) -> ListOrder {
    ListOrder(epoch: try integer(), seq: try integer())
  }
  package mutating func transferID() throws(DecodingFault) -> TransferID {
    TransferID(incarnation: try integer(), counter: try integer())
  }
  package mutating func fixed(_ count: Int) throws(DecodingFault) -> [UInt8] {
    guard count <= remaining else { throw .truncated }
    defer { position += count }
    return Array(bytes[position..<(position + count)])
  }
  package mutating func bytes16(atMost limit: Int) throws(DecodingFault) -> [UInt8] {
    let count = Int(try uint16())
    if count > limit { throw .tooLong("a field") }
    return try fixed(count)
  }
  package mutating func bytes32(atMost limit: Int) throws(DecodingFault) -> [UInt8] {
    let count = Int(try uint32())
    if count > limit { throw .tooLong("a field") }
    return try fixed(count)
  }
  /// Text of at most `limit` bytes; bad UTF-8 is refused, not mended.
  package mutating func string(atMost limit: Int) throws(DecodingFault) -> String {
    guard let text = String(validating: try bytes16(atMost: limit), as: UTF8.self) else {
      throw .invalid("UTF-8")
    }
    return text
  }
  package mutating func path() throws(DecodingFault) -> SharePath {
    let bytes = try bytes16(atMost: Limits.path)
    guard let path = try? SharePath(bytes) else { throw .invalid("path") }
    return path
  }
  /// A count of things that take at least `size` bytes each: refused where they could not all be
  /// there.
  package mutating func count(of size: Int, atMost limit: Int) throws(DecodingFault) -> Int {
    let count = Int(try uint32())
    if count > limit { throw .tooLong("a list") }
    if count * size > remaining { throw .truncated }
    return count
  }

  private mutating func integer<Value: FixedWidthInteger>() throws(DecodingFault) -> Value {
    let width = Value.bitWidth / 8
    guard width <= remaining else { throw .truncated }
    var value: Value = 0
    for offset in 0..<width { value |= Value(bytes[position + offset]) << Value(8 * offset) }
    position += width
    return value
  }
}
