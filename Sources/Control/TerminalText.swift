import System

/// Text from peers, made safe to show: a name may carry escape sequences that would drive a
/// terminal, or characters that make it look like another name.
package enum TerminalText {
  /// Shows what is not printable as `\xNN`, byte by byte of its UTF-8, and so the bytes of a path
  /// that are none (`PathText`).
  package static func escaped(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      if let byte = PathText.byte(of: scalar) {
        result += PathText.shown(byte)
      } else if isHostile(scalar) {
        for byte in String(scalar).utf8 { result += PathText.shown(byte) }
      } else {
        result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  /// The same for bytes that may not be UTF-8: what is not is shown as `\xNN`.
  package static func escaped(_ bytes: [UInt8]) -> String { escaped(text(bytes)) }

  /// The bytes as a String, with those that are not UTF-8 as `\xNN`; control characters are kept.
  /// For names in reports, which `escaped` makes safe where they are shown.
  package static func text(_ bytes: [UInt8]) -> String {
    var result = ""
    var rest = bytes[...]
    while let first = rest.first {
      if let length = sequenceLength(first), let good = String(validating: rest.prefix(length)) {
        result += good
        rest = rest.dropFirst(length)
      } else {
        result += PathText.shown(first)
        rest = rest.dropFirst()
      }
    }
    return result
  }

  /// JSON text with what is hostile to a terminal as `\uNNNN`; its own line ends are kept.
  static func escapedJSON(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      if let byte = PathText.byte(of: scalar) {
        // A backslash that JSON must escape in its turn.
        result += "\\" + PathText.shown(byte)
      } else if scalar == "\n" || !isHostile(scalar) {
        result.unicodeScalars.append(scalar)
      } else {
        // Every hostile scalar is in the basic plane.
        result += "\\u" + hex(scalar.value, digits: 4)
      }
    }
    return result
  }

  /// Control characters, line and paragraph ends, and what reorders or hides the text around it.
  private static func isHostile(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0..<0x20, 0x7F..<0xA0: true
    case 0xAD, 0x61C, 0x180E, 0x200B...0x200F, 0x2028...0x202E, 0x2060...0x206F, 0xFEFF: true
    default: false
    }
  }

  /// How long a UTF-8 sequence with this first byte is; nil when none begins so.
  private static func sequenceLength(_ first: UInt8) -> Int? {
    switch first {
    case 0..<0x80: 1
    case 0xC2..<0xE0: 2
    case 0xE0..<0xF0: 3
    case 0xF0..<0xF5: 4
    default: nil
    }
  }

  private static func hex(_ value: UInt32, digits: Int) -> String {
    let text = String(value, radix: 16, uppercase: true)
    return String(repeating: "0", count: max(0, digits - text.count)) + text
  }
}

extension String {
  fileprivate init?(validating bytes: ArraySlice<UInt8>) {
    self.init(validating: bytes, as: UTF8.self)
  }
}
