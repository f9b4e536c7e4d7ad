/// A value that other programs can read.
indirect enum JSON {
  case null
  case truth(Bool)
  case number(Double)
  case text(String)
  case list([JSON])
  /// In the order given.
  case object([(name: String, value: JSON)])

  /// Without spaces.
  var text: String {
    switch self {
    case .null: "null"
    case .truth(let value): "\(value)"
    case .number(let value): value.isFinite ? "\(value)" : "null"
    case .text(let value): JSON.quoted(value)
    case .list(let values): "[" + values.map(\.text).joined(separator: ",") + "]"
    case .object(let members):
      "{" + members.map { JSON.quoted($0.name) + ":" + $0.value.text }.joined(separator: ",") + "}"
    }
  }

  private static func quoted(_ text: String) -> String {
    var quoted = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"", "\\": quoted += "\\\(scalar)"
      case _ where scalar.value < 0x20:
        let hex = String(scalar.value, radix: 16)
        quoted += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
      default: quoted.unicodeScalars.append(scalar)
      }
    }
    return quoted + "\""
  }
}
