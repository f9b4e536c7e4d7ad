import Control
import System
import Testing

/// Tables and lines on terminals of any width.
struct ControlTextTests {
  private func terminal(_ columns: Int) -> TextStyle {
    TextStyle(columns: columns, hasColour: false)
  }

  private let group = MembersReport(members: (0..<4).map(Self.member))

  private static func member(_ number: UInt32) -> MemberReport {
    let name = number == 2 ? "语言 ünïcödé 日本" : "laptop \(number)"
    return MemberReport(
      publicID: number, name: name, system: "Linux 6.1.0-13-amd64 x86_64",
      state: number == 3 ? .waiting : .approved, presence: .online, isSelf: number == 0,
      isMaster: number == 0, entries: 1_234_567, words: "approve knee tiger mercy fan dune",
      address: "2001:db8:85a3::8a2e:370:7334", firstSeen: 0)
  }

  private static let widths: [(String, Int)] = [
    ("", 0), ("abc", 3), ("ü", 1), ("u\u{308}", 1), ("語", 2), ("日本x", 5), ("ﾊ", 1), ("😀", 2),
  ]

  @Test(arguments: widths)
  func `columns are counted as terminals do`(text: String, columns: Int) {
    #expect(DisplayWidth.of(text) == columns)
  }

  @Test func `wide characters are cut whole`() {
    #expect(DisplayWidth.clipped("日本語", 4) == "日…")
    #expect(DisplayWidth.clipped("日本語", 6) == "日本語")
    #expect(DisplayWidth.shortened("u\u{308}berlang/日本語", 9) == "üb…日本語")
    #expect(DisplayWidth.padded("語", 4) == "語  ")
  }

  @Test(arguments: [20, 33, 40, 60, 80, 100, 120, 300])
  func `no line is wider than the terminal, and no word of the words is broken`(columns: Int) {
    let text = group.text(terminal(columns))
    for line in text.split(separator: "\n") { #expect(DisplayWidth.of(line) <= columns, "\(line)") }
    for word in ["approve", "knee", "tiger", "mercy", "dune", "waiting"] {
      #expect(text.contains(word))
    }
  }

  @Test func `at 80 columns a member has one line, and below it what has no room`() {
    let lines = group.text(terminal(80)).split(separator: "\n")
    #expect(lines[0] == "ID  NAME               STATE     PRESENCE  ENTRIES  SYSTEM")
    #expect(
      lines[1] == "0   laptop 0           approved  online    1234567  Linux 6.1.0-13-amd64 x86_64")
    #expect(lines[2].hasPrefix("    address: 2001:db8:85a3::8a2e:370:7334  first seen: "))
    #expect(lines[3] == "    words: approve knee tiger mercy fan dune  note: master, this one")
    #expect(lines[7].hasPrefix("2   语言 ünïcödé 日本  approved"))
  }

  @Test func `in a pipe nothing is shortened and nothing is coloured`() {
    let lines = group.text().split(separator: "\n")
    #expect(lines.count == 5)
    #expect(lines[1].hasSuffix("approve knee tiger mercy fan dune  master, this one"))
    #expect(!group.text().contains("\u{1B}"))
  }

  @Test func `colours are around states, and what is hostile still drives nothing`() {
    var evil = group
    evil.members[1].name = "\u{1B}[2J\u{202E}evil"
    let text = evil.text(TextStyle(columns: 80, hasColour: true))
    #expect(text.contains("\u{1B}[32monline\u{1B}[0m"))
    #expect(text.contains("\u{1B}[33mwaiting\u{1B}[0m"))
    #expect(text.contains("\\x1B[2J\\xE2\\x80\\xAEevil"))
    #expect(!text.contains("\u{1B}[2J") && !text.contains("\u{202E}"))
  }

  @Test func `sentences break between words, and long paths get lines of their own`() {
    let style = terminal(30)
    #expect(
      style.wrapped("one two three four five six seven", firstColumn: 10, indent: 4)
        == ["one two three four", "    five six seven"])
    let path = "/" + String(repeating: "p", count: 27)
    #expect(
      style.wrapped("in \(path) it", firstColumn: 0, indent: 2) == ["in", "  \(path)", "  it"])
  }

  private func transfer(_ path: String, size: UInt64 = 1_000, owner: UInt32 = 3)
    -> TransfersReport.Transfer
  {
    TransfersReport.Transfer(
      direction: .reading, state: .moving, path: path, owner: "anna", ownerID: owner,
      reader: "this member", bytes: size / 2, size: size, rate: 10, route: "r")
  }

  @Test func `small files of one member are added up, large ones are not`() {
    let many = (0..<200).map { transfer("photos/2026/\($0 % 7)/\($0)") }
    let report = TransfersReport(
      route: "r",
      transfers: many + [transfer("photos/film", size: 5 << 20), transfer("x", owner: 4)])
    let lines = report.text().split(separator: "\n")
    #expect(lines.count == 3)
    #expect(
      lines[0]
        == "200 small files in photos/2026/: reading from anna (3) for this member, "
        + "97.6 of 195.3 KiB, 1.9 KiB/s, r")
    #expect(report.screen(columns: 80, rows: 24).count == 1 + 2 * 3)
    let few = TransfersReport(route: "r", transfers: Array(many.prefix(3)))
    #expect(few.text().split(separator: "\n").count == 3)
  }

  private static let typed: [(String, String?)] = [
    ("statsu", "status"), ("sttus", "status"), ("member", "members"), ("aprove", "approve"),
    ("STATUS", "status"), ("tran", "transfers"), ("leav", "leave"), ("xyzzy", nil), ("", nil),
    ("q", nil),
  ]

  @Test(arguments: typed)
  func `a word that is none suggests the one that was meant`(typed: String, meant: String?) {
    let words = ["status", "members", "approve", "disapprove", "transfers", "leave", "why"]
    #expect(Suggestion.nearest(to: typed, of: words) == meant)
  }

  @Test func `doctor says on each line what to do`() {
    let report = DoctorReport(findings: [
      .init("fuse", .well, "fine"),
      .init("hub", .bad, "h:1 cannot be reached: refused", "start the hub there"),
    ])
    #expect(!report.isWell)
    #expect(
      report.text(.plain)
        == "well  fuse         fine\n"
        + "BAD   hub          h:1 cannot be reached: refused: start the hub there")
  }
}
