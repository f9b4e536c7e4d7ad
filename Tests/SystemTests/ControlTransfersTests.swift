import Control
import System
import Testing

/// What `transfers` and `why` show.
struct ControlTransfersTests {
  private func transfer(
    _ path: String = "docs/a", state: TransfersReport.Transfer.State = .moving,
    direction: TransfersReport.Transfer.Direction = .reading, owner: String = "anna",
    bytes: UInt64 = 13 << 20, rate: UInt64 = 3 << 20
  ) -> TransfersReport.Transfer {
    TransfersReport.Transfer(
      direction: direction, state: state, path: path, owner: owner, ownerID: 3,
      reader: direction == .reading ? "this member" : "the group", bytes: bytes, size: 40 << 20,
      rate: rate, route: "through the hub at hub.example:7420")
  }

  private func report(_ transfers: [TransfersReport.Transfer]) -> TransfersReport {
    TransfersReport(route: "through the hub at hub.example:7420", transfers: transfers)
  }

  @Test func `a transfer is one line in a pipe`() {
    #expect(
      report([transfer()]).text()
        == "docs/a: reading from anna (3) for this member, 13.0 of 40.0 MiB, 3.0 MiB/s, 9 s left, "
        + "through the hub at hub.example:7420")
    #expect(
      report([transfer(direction: .uploading)]).text().hasPrefix(
        "docs/a: uploading for the group, "))
    #expect(report([]).text() == "nothing is being read or uploaded")
  }

  @Test(arguments: [
    (TransfersReport.Transfer.State.paused, "paused"), (.ownerAway, "waits: its owner is away"),
    (.waiting, "waits"),
  ])
  func `what does not move says why, and no time left`(
    state: TransfersReport.Transfer.State, words: String
  ) {
    #expect(transfer(state: state).secondsLeft == nil)
    #expect(report([transfer(state: state)]).text().contains("13.0 of 40.0 MiB, \(words), through"))
  }

  @Test func `what is read again has no time left`() {
    #expect(transfer(bytes: 50 << 20).secondsLeft == nil)
    #expect(
      report([transfer(bytes: 50 << 20)]).text().contains("50.0 MiB so far, 3.0 MiB/s, through"))
  }

  @Test func `a screen is never wider or higher than the terminal`() {
    let long = String(repeating: "long/", count: 60) + "name.iso"
    let many = (0..<40).map { _ in transfer(long, owner: String(repeating: "o", count: 64)) }
    for (columns, rows) in [(80, 24), (40, 10), (20, 5), (200, 60)] {
      let lines = report(many).screen(columns: columns, rows: rows)
      #expect(lines.count < rows)
      #expect(lines.allSatisfy { $0.count <= columns })
      #expect(lines.last?.hasSuffix(" more") == true)
    }
    let lines = report(many).screen(columns: 80, rows: 24)
    #expect(lines[1].hasPrefix("reading long/long/") && lines[1].hasSuffix("name.iso"))
    // All figures have room at 80 columns.
    #expect(lines[2].hasSuffix("13.0 of 40.0 MiB  3.0 MiB/s  9 s left"))
  }

  @Test func `what is shared in place is one line, and a missing one says so`() {
    let shares = SharesReport(shares: [
      .init(name: "album", path: "/home/a/pictures", state: .shared, kind: .folder),
      .init(name: "x\u{1B}[2J", path: "/gone", state: .missing, kind: nil),
    ])
    #expect(
      shares.text()
        == "NAME      STATE    KIND    PATH\nalbum     shared   folder  /home/a/pictures\n"
        + "x\\x1B[2J  missing          /gone")
    #expect(SharesReport(shares: []).text() == "nothing is shared in place")
  }

  @Test func `a screen replaces the one before in one piece`() {
    let first = TransfersReport.redrawing(["a", "b"], over: 0)
    #expect(first == "\u{1B}[?7la\u{1B}[K\nb\u{1B}[K\n\u{1B}[J\u{1B}[?7h")
    #expect(TransfersReport.redrawing(["c"], over: 2).hasPrefix("\u{1B}[?7l\u{1B}[2A\rc\u{1B}[K\n"))
  }

  @Test func `names of peers drive no terminal`() {
    let hostile = transfer("a\u{1B}[2Jb\n", owner: "x\u{9B}y")
    let texts = [report([hostile]).text()] + report([hostile]).screen(columns: 80, rows: 24)
    for text in texts {
      #expect(!text.unicodeScalars.contains { $0.value < 0x20 || (0x7F..<0xA0).contains($0.value) })
    }
  }

  @Test(arguments: [
    (0 as UInt64, "0 s"), (59, "59 s"), (200, "3 min 20 s"), (7_500, "2 h 5 min"),
    (273_600, "3 d 4 h"),
  ])
  func `times are shown in two units`(seconds: UInt64, shown: String) {
    let one = transfer(bytes: 0, rate: 1)
    #expect(one.secondsLeft == 40 << 20)
    let slow = TransfersReport.Transfer(
      direction: .reading, state: .moving, path: "a", owner: "b", ownerID: 1, reader: "c", bytes: 0,
      size: seconds, rate: 1, route: "r")
    #expect(report([slow]).text().contains("\(shown) left"))
  }

  private func why(
    _ remote: WhyReport.Remote? = nil, _ own: WhyReport.Own? = nil, hub: Bool = true,
    master: Bool = true
  ) -> String {
    WhyReport(
      path: "docs/a", kind: .file, owner: "anna", ownerID: 3, size: 1 << 20, version: "17",
      hub: "h:1", hubConnected: hub, masterPresent: master, remote: remote, own: own
    ).text
  }

  @Test func `a file at rest is told in sentences`() {
    var remote = WhyReport.Remote()
    remote.leaves = 8
    #expect(
      why(remote) == """
        docs/a is a file of 1.0 MiB, version 17, of anna (member 3).
        Its owner is online.
        None of its 8 leaves is in memory.
        No program has it open.
        """)
  }

  @Test func `what a read waits for is told, the nearest cause first`() {
    var remote = WhyReport.Remote()
    remote.readsWaiting = 1
    remote.secondsLeft = 12
    #expect(
      why(remote).contains("1 read waits for leaves on their way; the first gives up in 12 s."))
    remote.leavesPostponed = 1
    #expect(why(remote).contains("which are busy or have paused uploads"))
    remote.presence = .away
    remote.presenceSince = 0
    #expect(why(remote).contains("1 read waits for its owner to come back;"))
    #expect(why(remote).contains("away since \(LocalTime.text(0)): reads wait"))
    #expect(why(remote, hub: false).contains("1 read waits for the connection to the hub;"))
    remote.isPaused = true
    remote.secondsLeft = nil
    #expect(why(remote).contains("1 read waits for the pause to end; a pause has no deadline."))
  }

  @Test func `what limits a read is told`() {
    var remote = WhyReport.Remote()
    remote.rate = 5 << 20
    remote.leavesAsked = 2
    remote.window = 4 << 20
    remote.isBudgetFull = true
    let text = why(remote)
    for words in [
      "It comes at 5.0 MiB/s.", "2 leaves are on their way.", "At most 4.0 MiB are fetched ahead",
      "memory for leaves is full",
    ] { #expect(text.contains(words)) }
  }

  @Test func `what the group knows of an own file is told`() {
    var own = WhyReport.Own()
    own.isStaged = true
    #expect(why(nil, own).contains("It is staged"))
    #expect(why(nil, own).contains("was not told of it yet"))
    own.isAnnounced = true
    #expect(why(nil, own).contains("has not taken it: its answer is awaited"))
    #expect(why(nil, own, master: false).contains("has not taken it: the master is away"))
    #expect(why(nil, own, hub: false).contains("has not taken it: the hub at h:1 is not connected"))
    own.isAcked = true
    own.handles = 2
    own.writers = 1
    own.uploadsPaused = true
    let text = why(nil, own)
    for words in ["has it as it is", "open by 2 handles, 1 to write", "Uploads are paused"] {
      #expect(text.contains(words))
    }
    own.isDirty = true
    #expect(why(nil, own).contains("written since it was last announced"))
  }
}
