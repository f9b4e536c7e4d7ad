/// Mount options as libfuse reads them: with commas between; a backslash before a comma or another
/// backslash takes it as it is, and before three octal digits it is the byte with that number.
package enum OptionWords {
  private static let comma = UInt8(ascii: ",")
  private static let backslash = UInt8(ascii: "\\")

  /// The options of a line, each as it is meant. Empty ones are left out.
  package static func split(_ line: String) -> [String] {
    var words: [[UInt8]] = [[]]
    var rest = line.pathBytes[...]
    while let byte = rest.popFirst() {
      if byte == comma {
        words.append([])
      } else if byte == backslash, let octal = octal(rest) {
        words[words.count - 1].append(octal)
        rest = rest.dropFirst(3)
      } else if byte == backslash, let next = rest.popFirst() {
        words[words.count - 1].append(next)
      } else {
        words[words.count - 1].append(byte)
      }
    }
    return words.filter { !$0.isEmpty }.map { String(pathBytes: $0) }
  }

  /// The line that `split` makes these words of.
  package static func joined(_ words: [String]) -> String {
    let escaped = words.map { word in
      word.pathBytes.flatMap { [comma, backslash].contains($0) ? [backslash, $0] : [$0] }
    }
    return String(pathBytes: escaped.joined(separator: [comma]))
  }

  /// Three digits that say a byte; nil for anything else.
  private static func octal(_ bytes: ArraySlice<UInt8>) -> UInt8? {
    let digits = bytes.prefix(3).map { $0 &- UInt8(ascii: "0") }
    guard digits.count == 3, digits[0] <= 3, digits[1] <= 7, digits[2] <= 7 else { return nil }
    return digits[0] << 6 | digits[1] << 3 | digits[2]
  }
}
