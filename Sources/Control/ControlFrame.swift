import FoundationEssentials

/// A message of the control socket: its length as UInt32, little-endian, then JSON.
package enum ControlFrame {
  /// Bytes of the length.
  package static let headBytes = 4

  /// A whole message. Throws `ControlError.tooLong`.
  package static func encode(_ message: some Encodable, limit: Int) throws -> [UInt8] {
    let body = try JSONEncoder().encode(message)
    guard body.count <= limit else { throw ControlError.tooLong(bytes: body.count, limit: limit) }
    var frame: [UInt8] = []
    frame.reserveCapacity(headBytes + body.count)
    let length = UInt32(body.count)
    for shift in stride(from: UInt32(0), to: 32, by: 8) {
      frame.append(UInt8(truncatingIfNeeded: length >> shift))
    }
    frame += body
    return frame
  }

  /// How many bytes a message has, head included; nil when too little of it is there to tell.
  /// Throws `ControlError.tooLong`, and `malformed` for an empty one.
  package static func length(of received: [UInt8], limit: Int) throws -> Int? {
    guard received.count >= headBytes else { return nil }
    let body = received[..<headBytes].reversed().reduce(0) { $0 << 8 | Int($1) }
    guard body > 0 else { throw ControlError.malformed("it is empty") }
    guard body <= limit else { throw ControlError.tooLong(bytes: body, limit: limit) }
    return headBytes + body
  }

  /// The content of a whole message. Throws `ControlError.malformed`.
  package static func decode<Message: Decodable>(_ type: Message.Type, from frame: [UInt8]) throws
    -> Message
  {
    do {
      return try JSONDecoder().decode(type, from: Data(frame[headBytes...]))
    } catch {
      throw ControlError.malformed("it is not the JSON of a \(type)")
    }
  }
}
