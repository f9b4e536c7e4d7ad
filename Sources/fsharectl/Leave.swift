import ArgumentParser
import Control
import Glibc
import System

/// `fsharectl leave [PATH]`
struct Leave: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Wait until nobody reads from this member any more, then unmount and leave.",
    discussion: """
      Shows what others still read of one's own files. Nobody is kept from opening more of them \
      meanwhile: what is waited for is a pause of some seconds. Until then ^C keeps the mount. \
      When it has left, its files are gone for the others, and whoever has one open gets errors. A host \
      takes its hub along. \
      With --now, programs that use the mount here keep it until they let go.

      Example: fsharectl leave ~/share
      """)

  private static let lookEvery: Duration = .milliseconds(500)
  /// How long a process may take to end: its last words wait for the group's answer.
  private static let patience: Duration = .seconds(20)

  @Argument(help: "The mount, or a path in it.", completion: Candidates.mounts)
  var path: String?

  @Flag(help: "Wait for no reader.")
  var now = false

  @OptionGroup var options: CommonOptions

  func run() throws {
    let session = try Session(options, about: path)
    let (answered, _) = try session.ask(JSONValue.self, of: "status")
    guard let status = try? answered.decode(as: StatusReport.self) else {
      try session.fail("a hub alone is ended by what started it: systemctl stop fshare-hub, or ^C")
    }
    // Whoever stands in the mount would be a reason why it cannot go.
    _ = chdir("/")
    if status.role == .host, status.membersOnline > 1 {
      session.remark("this is the host: the hub ends with it, for everybody")
    }
    if !now { try waitForReaders(session) }
    let users = MountUsers.of(status.mountpoint)
    let answer = try session.answer(to: now ? "leave-now" : "leave")
    guard answer.status == 0 else {
      let who = users.isEmpty ? "" : ": " + users.joined(separator: ", ")
      try session.fail("\(answer.message)\(who); end them, or leave with --now")
    }
    let hasEnded = waitForTheEnd(session, mayStay: now && !users.isEmpty)
    let report = LeaveReport(mountpoint: status.mountpoint, hasEnded: hasEnded, usedBy: users)
    if options.json {
      try session.write(try JSONValue(encoding: report).text())
    } else if hasEnded {
      try session.write(TerminalText.escaped("left; \(status.mountpoint) is unmounted"))
    } else {
      try session.write(
        TerminalText.escaped(
          "left; what was opened at \(status.mountpoint) goes when these let go: "
            + (users.isEmpty ? "programs of other users" : users.joined(separator: ", "))))
    }
  }

  /// Until nothing of one's own is read, and the group has all that was written.
  private func waitForReaders(_ session: Session) throws {
    var progress = ProgressLine()
    defer { progress.clear() }
    var isTold = isatty(STDERR_FILENO) == 1 || options.json
    while true {
      let (transfers, _) = try session.ask(TransfersReport.self, of: "transfers")
      let (status, _) = try session.ask(StatusReport.self, of: "status")
      // What has all gone is shown for some seconds more.
      let reads = transfers.transfers.filter { $0.direction == .uploading && $0.bytes < $0.size }
      let changes = status.hubConnected && status.masterPresent ? status.pendingChanges : 0
      if reads.isEmpty, status.uploadsQueued == 0, changes == 0 { return }
      let line = Self.line(reads, changes)
      progress.show(line + "  (^C stays)")
      if !isTold { session.remark("\(line): waiting (--now does not)") }
      isTold = true
      let pause = Int32(Self.lookEvery / .milliseconds(1))
      _ = poll(nil, 0, pause)
    }
  }

  private static func line(_ reads: [TransfersReport.Transfer], _ changes: Int) -> String {
    guard let first = reads.max(by: { $0.rate < $1.rate }) else {
      return changes > 0 ? "the group has not taken \(changes) changes yet" : "reads are queued"
    }
    let left = reads.reduce(UInt64(0)) { $0 + ($1.size > $1.bytes ? $1.size - $1.bytes : 0) }
    let name = TerminalText.escaped(first.path)
    let what = reads.count == 1 ? name : "\(reads.count) files, \(name) among them,"
    return "others read \(what) \(CheckReport.amount(left)) to go, "
      + "\(CheckReport.amount(reads.reduce(0) { $0 + $1.rate }))/s"
  }

  /// Returns: whether the process has ended. `mayStay`: where programs hold its mount, it is enough
  /// that it has left the group.
  private func waitForTheEnd(_ session: Session, mayStay: Bool) -> Bool {
    let end = MonotonicClock.now + Self.patience
    while MonotonicClock.now < end {
      if ControlClient.presence(session.stateFolder) == .nobody { return true }
      if mayStay, session.look(StatusReport.self, of: "status")?.state == .left { return false }
      _ = poll(nil, 0, 50)
    }
    return false
  }
}
