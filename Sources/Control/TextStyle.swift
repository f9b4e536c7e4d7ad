/// For what a report is written: a terminal of some width, with colours or without, or a pipe.
package struct TextStyle: Sendable {
  /// A colour, by what it tells.
  package enum Tint: String, Sendable {
    case head = "1"
    case good = "32"
    case caution = "33"
    case bad = "31"
    case faint = "2"
  }

  /// Columns of the terminal; nil for a pipe or a file, where nothing is ever shortened.
  package var columns: Int?
  package var hasColour: Bool

  /// For a pipe, a file or a test.
  package static let plain = TextStyle(columns: nil, hasColour: false)

  /// A style.
  package init(columns: Int?, hasColour: Bool) {
    // Narrower than this nothing can be read at all.
    self.columns = columns.map { max(20, $0) }
    self.hasColour = hasColour
  }

  /// A text in a colour. It must be safe to show already.
  package func tinted(_ text: String, _ tint: Tint?) -> String {
    guard hasColour, let tint, !text.isEmpty else { return text }
    return "\u{1B}[\(tint.rawValue)m\(text)\u{1B}[0m"
  }

  /// A text on lines that have room, broken between words only, from the second line on behind
  /// `indent` blanks. A word for which no line is long enough loses its middle.
  package func wrapped(_ text: String, firstColumn: Int, indent: Int) -> [String] {
    guard let columns else { return [text] }
    var lines: [String] = []
    var line = ""
    var room = columns - firstColumn
    for word in text.split(separator: " ", omittingEmptySubsequences: false).map(String.init) {
      let width = DisplayWidth.of(word)
      if line.isEmpty, lines.isEmpty, width <= room {
        line = word
      } else if !line.isEmpty, DisplayWidth.of(line) + 1 + width <= room {
        line += " " + word
      } else {
        if !line.isEmpty || lines.isEmpty && firstColumn > indent { lines.append(line) }
        room = columns - indent
        line = DisplayWidth.shortened(word, room)
      }
    }
    lines.append(line)
    return lines.enumerated().map { index, line in
      index == 0 ? line : String(repeating: " ", count: indent) + line
    }
  }
}
