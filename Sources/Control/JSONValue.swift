import FoundationEssentials

/// Any JSON value: what an answer carries, before it is known which report it is.
package enum JSONValue: Codable, Equatable, Sendable {
  /// Nothing.
  case null
  /// True or false.
  case bool(Bool)
  /// Whole numbers are kept exactly: 64-bit ids do not fit a Double.
  case integer(Int64)
  /// Whole numbers above `Int64.max`.
  case unsigned(UInt64)
  /// Numbers with a fraction, finite.
  case double(Double)
  /// Text.
  case string(String)
  /// Values in order.
  case array([JSONValue])
  /// Values by key; written sorted by key.
  case object([String: JSONValue])

  /// The JSON of a value. Throws `EncodingError` (a number that is not finite).
  package init(encoding value: some Encodable) throws {
    let text = try JSONEncoder().encode(value)
    self = try JSONDecoder().decode(JSONValue.self, from: text)
  }

  /// The value that this is the JSON of. Throws `DecodingError` when it is none of this type.
  package func decode<Value: Decodable>(as type: Value.Type) throws -> Value {
    try JSONDecoder().decode(type, from: try JSONEncoder().encode(self))
  }

  /// The text for people and scripts: sorted keys, indented, and safe to show in a terminal.
  package func text() throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
    return TerminalText.escapedJSON(String(decoding: try encoder.encode(self), as: UTF8.self))
  }

  package init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if container.decodeNil() {
      self = .null
    } else if let value = try? container.decode(Bool.self) {
      self = .bool(value)
    } else if let value = try? container.decode(Int64.self) {
      self = .integer(value)
    } else if let value = try? container.decode(UInt64.self) {
      self = .unsigned(value)
    } else if let value = try? container.decode(Double.self) {
      self = .double(value)
    } else if let value = try? container.decode(String.self) {
      self = .string(value)
    } else if let value = try? container.decode([JSONValue].self) {
      self = .array(value)
    } else {
      self = .object(try container.decode([String: JSONValue].self))
    }
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .null: try container.encodeNil()
    case .bool(let value): try container.encode(value)
    case .integer(let value): try container.encode(value)
    case .unsigned(let value): try container.encode(value)
    case .double(let value): try container.encode(value)
    case .string(let value): try container.encode(value)
    case .array(let value): try container.encode(value)
    case .object(let value): try container.encode(value)
    }
  }
}
