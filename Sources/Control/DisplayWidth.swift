import CLinux
import Glibc

/// How many columns of a terminal text takes, by the C library's wcwidth(3): none for combining
/// marks, two for most of Chinese, Japanese and Korean.
package enum DisplayWidth {
  /// wcwidth(3) knows what the locale knows; the user's own may be plain ASCII.
  // SAFETY: made once, never freed and never changed.
  private nonisolated(unsafe) static let locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", nil)

  /// Columns of text that is safe to show (`TerminalText`).
  package static func of(_ text: some StringProtocol) -> Int {
    if text.utf8.allSatisfy({ $0 < 0x80 }) { return text.utf8.count }
    return withLocale { text.unicodeScalars.reduce(0) { $0 + columns($1) } }
  }

  /// The longest beginning of a text that has room in so many columns, whole characters only.
  package static func prefix(_ text: String, _ columns: Int) -> String {
    String(text.prefix(count(text, columns)))
  }

  /// The longest end of it.
  package static func suffix(_ text: String, _ columns: Int) -> String {
    String(text.suffix(count(text.reversed(), columns)))
  }

  /// A text without its end, where it has no room.
  package static func clipped(_ text: String, _ columns: Int) -> String {
    of(text) <= columns ? text : prefix(text, max(0, columns - 1)) + "…"
  }

  /// A text without its middle, where it has no room: beginning and end of a path tell most.
  package static func shortened(_ text: String, _ columns: Int) -> String {
    guard of(text) > columns else { return text }
    let tail = columns * 2 / 3
    return prefix(text, max(0, columns - 1 - tail)) + "…" + suffix(text, tail)
  }

  /// A text with blanks behind it, so that it takes so many columns at least.
  package static func padded(_ text: String, _ columns: Int) -> String {
    text + String(repeating: " ", count: max(0, columns - of(text)))
  }

  private static func count(_ characters: some Sequence<Character>, _ columns: Int) -> Int {
    var (count, left) = (0, columns)
    for character in characters {
      left -= of(String(character))
      if left < 0 { break }
      count += 1
    }
    return count
  }

  private static func columns(_ scalar: Unicode.Scalar) -> Int {
    let width = Int(clinux_wcwidth(scalar.value))
    // What the library does not know is shown as something by most terminals.
    return width < 0 ? 1 : width
  }

  private static func withLocale<Result>(_ body: () -> Result) -> Result {
    guard let locale else { return body() }
    // For this thread alone.
    let before = uselocale(locale)
    defer { uselocale(before) }
    return body()
  }
}
