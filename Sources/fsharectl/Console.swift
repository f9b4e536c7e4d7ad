import ArgumentParser
import Control
import Glibc
import System

/// Standard output and standard error.
enum Console {
  /// How to write for standard output: what it is, and whether its user wants colours
  /// (https://no-color.org).
  static var style: TextStyle {
    guard isatty(STDOUT_FILENO) == 1 else { return .plain }
    let hasColour = Environment.get("NO_COLOR") == nil && Environment.get("TERM") != "dumb"
    return TextStyle(columns: size.columns, hasColour: hasColour)
  }

  /// Of the terminal that is standard output; the usual one where it has none.
  static var size: (columns: Int, rows: Int) { size(of: STDOUT_FILENO) }

  /// Of the terminal at a descriptor.
  static func size(of descriptor: Int32) -> (columns: Int, rows: Int) {
    var size = winsize()
    guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0, size.ws_row > 0 else {
      return (Environment.get("COLUMNS").flatMap { Int($0) } ?? 80, 24)
    }
    return (Int(size.ws_col), Int(size.ws_row))
  }

  /// Writes to standard output. Throws `ExitCode`.
  static func write(_ text: String, end: String = "\n") throws {
    do {
      try File.writeAll(Array((text + end).utf8), to: STDOUT_FILENO, "standard output")
    } catch {
      try fail("\(error)")
    }
  }

  /// One line on stderr, then the end. Throws `ExitCode`.
  static func fail(_ message: String, _ code: ExitCode = .failure) throws -> Never {
    remark(message)
    throw code
  }

  /// One line on stderr.
  static func remark(_ message: String) {
    note("fsharectl: \(TerminalText.escaped(message))\n")
  }

  /// Something on stderr, which must be safe to show.
  static func note(_ text: String) {
    // Nothing can be said about a stderr that fails.
    try? File.writeAll(Array(text.utf8), to: STDERR_FILENO, "standard error")
  }
}

/// One line on stderr that is written over again, where that is a terminal; else nothing.
struct ProgressLine {
  private let isShown = isatty(STDERR_FILENO) == 1
  private var isThere = false

  /// Shows a text that is safe to show.
  mutating func show(_ text: String) {
    guard isShown else { return }
    isThere = true
    let columns = Console.size(of: STDERR_FILENO).columns
    Console.note("\r" + DisplayWidth.clipped(text, columns - 1) + "\u{1B}[K")
  }

  /// Takes it away, so that something else can be written.
  mutating func clear() {
    if isThere { Console.note("\r\u{1B}[K") }
    isThere = false
  }
}
