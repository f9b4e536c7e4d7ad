/// The one-time secret that opens a bulk stream, as `Authorization: Bearer <64 hex digits>`.
enum Ticket {
  /// Length in bytes.
  static let length = 32

  /// The header's value for a ticket.
  static func header(_ ticket: [UInt8]) -> [UInt8] {
    let digits = Array("0123456789abcdef".utf8)
    var text = Array("Bearer ".utf8)
    for byte in ticket {
      text.append(digits[Int(byte >> 4)])
      text.append(digits[Int(byte & 15)])
    }
    return text
  }

  /// The ticket in a header's value; nil unless it is exactly one.
  static func parse(_ header: [UInt8]) -> [UInt8]? {
    let prefix = Array("Bearer ".utf8)
    guard header.count == prefix.count + 2 * length, header.starts(with: prefix) else {
      return nil
    }
    var ticket: [UInt8] = []
    for index in stride(from: prefix.count, to: header.count, by: 2) {
      guard let high = digit(header[index]), let low = digit(header[index + 1]) else { return nil }
      ticket.append(high << 4 | low)
    }
    return ticket
  }

  private static func digit(_ character: UInt8) -> UInt8? {
    switch character {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): character - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): character - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): character - UInt8(ascii: "A") + 10
    default: nil
    }
  }
}
