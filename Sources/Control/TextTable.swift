/// Columns of text: aligned, and on a terminal no wider than that. What has no room in a row stands
/// below it, with its title.
package struct TextTable {
  /// Columns that a cell takes at most where the table does not fit.
  private static let widest = 28
  private static let gap = 2
  private static let indent = 4

  private let head: [String]
  private let rows: [[String]]
  private let tint: (_ column: Int, _ cell: String) -> TextStyle.Tint?

  /// A table. `tint`: the colour of a cell. Cells may be hostile.
  package init(
    head: [String], rows: [[String]],
    tint: @escaping (_ column: Int, _ cell: String) -> TextStyle.Tint? = { _, _ in nil }
  ) {
    self.head = head
    self.rows = rows.map { $0.map(TerminalText.escaped) }
    self.tint = tint
  }

  /// A number of bytes for people.
  package static func bytes(_ count: Int) -> String {
    count < 1 << 20 ? "\((count + 1_023) >> 10) KiB" : "\(count >> 20) MiB"
  }

  /// The lines, safe to show in a terminal.
  package func text(_ style: TextStyle) -> String {
    var widths = head.indices.map { column in
      ([head] + rows).map { column < $0.count ? DisplayWidth.of($0[column]) : 0 }.max() ?? 0
    }
    var shown = head.count
    if let columns = style.columns, Self.total(widths[...]) > columns {
      widths = widths.map { min($0, Self.widest) }
      while shown > 1, Self.total(widths[..<shown]) > columns { shown -= 1 }
      if shown == 1 { widths[0] = min(widths[0], columns) }
    }
    var lines = [style.tinted(line(head, widths, shown, .plain), .head)]
    for row in rows {
      lines.append(line(row, widths, shown, style))
      lines += details(row, widths, shown, style)
    }
    return lines.joined(separator: "\n")
  }

  private static func total(_ widths: ArraySlice<Int>) -> Int {
    widths.reduce(0, +) + gap * max(0, widths.count - 1)
  }

  private func line(_ row: [String], _ widths: [Int], _ shown: Int, _ style: TextStyle) -> String {
    var result = ""
    var blanks = 0
    for (column, cell) in row.prefix(shown).enumerated() {
      let text = DisplayWidth.shortened(cell, widths[column])
      if !text.isEmpty {
        result += String(repeating: " ", count: blanks)
        result += style.tinted(text, tint(column, cell))
        blanks = 0
      }
      blanks += widths[column] - DisplayWidth.of(text) + Self.gap
    }
    return result
  }

  /// What has no room in the row, or not all of it, as `title: value`.
  private func details(
    _ row: [String], _ widths: [Int], _ shown: Int, _ style: TextStyle
  ) -> [String] {
    guard let columns = style.columns else { return [] }
    let rest = row.indices.filter { column in
      !row[column].isEmpty && (column >= shown || DisplayWidth.of(row[column]) > widths[column])
    }
    let blanks = String(repeating: " ", count: Self.indent)
    var lines: [String] = []
    for column in rest {
      let text = "\(head[column].lowercased()): \(row[column])"
      if let last = lines.last,
        DisplayWidth.of(last) + Self.gap + DisplayWidth.of(text) <= columns
      {
        lines[lines.count - 1] += String(repeating: " ", count: Self.gap) + text
      } else {
        var more = style.wrapped(text, firstColumn: Self.indent, indent: Self.indent + 2)
        more[0] = blanks + more[0]
        lines += more
      }
    }
    return lines
  }
}
