import Control
import System
import Testing

struct ControlReportTests {
  private let status = StatusReport(
    role: .host, state: .live, publicID: 0, name: "desk",
    words: "one two three four five six", hub: "127.0.0.1:7420",
    hubConnected: true, masterPresent: true, mountpoint: "/mnt/share", ownFolder: "/own",
    stateFolder: "/state", epoch: .max, seq: 12, entries: 3, ownEntries: 1, pendingChanges: 0,
    membersOnline: 2, leafCacheBytes: 1_572_864, leafCacheLimit: 268_435_456, readsWaiting: 0,
    uploadsQueued: 0, settings: [.init(name: "timeout", value: "30 s", source: .default)],
    version: "1")

  @Test func `a status report survives JSON, 64-bit numbers included`() throws {
    let json = try JSONValue(encoding: status)
    try #expect(json.decode(as: StatusReport.self) == status)
    try #expect(json.text().contains("18446744073709551615"))
  }

  @Test func `any JSON value survives JSON`() throws {
    let value = JSONValue.object([
      "a": .array([.null, .bool(true), .integer(1), .integer(.min), .unsigned(.max)]),
      "b": .object(["c": .double(1.5), "d": .string("")]),
    ])
    try #expect(JSONValue(encoding: value) == value)
  }

  @Test func `a status is short, and has every setting with all`() {
    let short = status.text().split(separator: "\n")
    #expect(short.first == "mountpoint:      /mnt/share")
    #expect(short.contains("role:            host, as 'desk' (0)"))
    #expect(short.count == 8)
    let all = status.text(all: true).split(separator: "\n")
    #expect(all.last == "setting timeout:  30 s (default)")
    #expect(all.contains("leaf cache:       1.5 MiB of 256.0 MiB"))
    #expect(all.contains("state folder:     /state"))
  }

  @Test func `what is not as usual is in the short status`() {
    var busy = status
    (busy.state, busy.pendingChanges, busy.paused) = (.reconnecting, 3, ["films"])
    busy.listFault = "false"
    let lines = busy.text().split(separator: "\n").map { $0.split(separator: ":")[0] }
    #expect(
      Set(lines).isSuperset(of: ["words", "list", "not shared yet", "paused", "false list"]))
  }

  @Test func `members are shown as an aligned table`() {
    let members = MembersReport(members: [
      MemberReport(
        publicID: 0, name: "desk", system: "Linux", state: .approved, presence: .online,
        isSelf: true, isMaster: true, entries: 3),
      MemberReport(
        publicID: 12, name: "a\u{1B}b", system: "BSD", state: .waiting, presence: .away,
        isSelf: false, isMaster: false, entries: 0, words: "one two", address: "192.0.2.1\n",
        firstSeen: 0),
    ])
    let epoch = LocalTime.text(0)
    #expect(
      members.text() == """
        ID  NAME    STATE     PRESENCE  ENTRIES  SYSTEM  ADDRESS        FIRST SEEN        WORDS    NOTE
        0   desk    approved  online    3        Linux                                             master, this one
        12  a\\x1Bb  waiting   away      0        BSD     192.0.2.1\\x0A  \(epoch)  one two
        """)
  }

  /// A crowd that waits must not hide who is in.
  @Test func `of those who wait only the first 20 are shown, behind all others`() {
    let crowd = (1...50).map { number in
      MemberReport(
        publicID: UInt32(number), name: "n", system: "",
        state: number % 2 == 0 ? .waiting : .approved, presence: .online, isSelf: false,
        isMaster: false, entries: 0)
    }
    let report = MembersReport(members: crowd)
    let lines = report.text().split(separator: "\n")
    #expect(lines.count == 1 + 25 + 20 + 1)
    #expect(lines[1...25].allSatisfy { $0.contains("approved") })
    #expect(lines[26...45].allSatisfy { $0.contains("waiting") })
    #expect(lines.last == "… and 5 more wait: fsharectl members --all")
    #expect(report.text(all: true).split(separator: "\n").count == 51)
  }

  @Test func `a square is drawn two rows to a line, dark on light, with a margin`() {
    let text = HalfBlocks.text([[true, false], [true, true], [false, true]], quiet: 1)
    let lines = text.split(separator: "\n")
    let (on, off) = ("\u{1B}[38;5;16;48;5;231m", "\u{1B}[0m")
    #expect(lines == [" ▄  ", " ▀█ ", "    "].map { "\(on)\($0)\(off)" })
  }

  @Test(arguments: [
    ("plain ü 語", "plain ü 語"), ("\u{1B}[2J", "\\x1B[2J"), ("a\nb\tc\r", "a\\x0Ab\\x09c\\x0D"),
    ("\u{7F}\u{9B}", "\\x7F\\xC2\\x9B"), ("\u{202E}cod.exe", "\\xE2\\x80\\xAEcod.exe"),
  ])
  func `text that would drive a terminal is escaped`(text: String, shown: String) {
    #expect(TerminalText.escaped(text) == shown)
  }

  @Test(
    arguments: [
      ([0x61, 0xFF, 0x62], "a\\xFFb"), ([0xC3], "\\xC3"), ([0xC3, 0xA9], "é"),
      ([0xED, 0xA0, 0x80], "\\xED\\xA0\\x80"), ([0xC0, 0x80], "\\xC0\\x80"), ([0x1B], "\\x1B"),
      ([], ""),
    ] as [([UInt8], String)])
  func `bytes that are not UTF-8 are escaped`(bytes: [UInt8], shown: String) {
    #expect(TerminalText.escaped(bytes) == shown)
  }
}
