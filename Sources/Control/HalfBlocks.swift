/// Draws a square of dark and light modules with half blocks of UTF-8: two rows to a line, as a
/// terminal's characters are twice as high as wide.
package enum HalfBlocks {
  /// Black on white of the 256-colour palette, whatever the terminal's own colours: a code that is
  /// light on dark is not read by every camera.
  private static let colours = "\u{1B}[38;5;16;48;5;231m"
  private static let reset = "\u{1B}[0m"

  /// The drawing, with light modules around it as `quiet` says (four by the standard of QR codes).
  package static func text(_ modules: [[Bool]], quiet: Int = 4) -> String {
    let width = (modules.map(\.count).max() ?? 0) + 2 * quiet
    func isDark(_ row: Int, _ column: Int) -> Bool {
      let (row, column) = (row - quiet, column - quiet)
      return modules.indices.contains(row) && modules[row].indices.contains(column)
        && modules[row][column]
    }
    let height = modules.count + 2 * quiet
    let lines = stride(from: 0, to: height, by: 2).map { row in
      let blocks = (0..<width).map { column in
        switch (isDark(row, column), isDark(row + 1, column)) {
        case (true, true): "█"
        case (true, false): "▀"
        case (false, true): "▄"
        case (false, false): " "
        }
      }
      return colours + blocks.joined() + reset
    }
    return lines.joined(separator: "\n")
  }
}
