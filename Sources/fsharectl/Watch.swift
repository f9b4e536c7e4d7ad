import ArgumentParser
import Control
import System

/// `fsharectl watch`
struct Watch: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Ask about each client that waits for approval, as they come. Only the master can.",
    discussion: """
      Compare the words with those that the newcomer sees on its own screen before you approve it. \
      Ends at the end of input (Ctrl-D).

      Example: fsharectl watch
      """)

  /// How often the members are looked at.
  private static let lookEvery: Duration = .milliseconds(500)

  @OptionGroup var options: CommonOptions

  func validate() throws {
    if options.json { throw ValidationError("watch asks people: it has no --json") }
  }

  func run() throws {
    let session = try Session(options, for: .deciders)
    let answers = AnswerLines()
    var desk = ApprovalDesk()
    try look(session, &desk, answers)
    if !desk.isAsking { sayThatNobodyWaits(session) }
    while true {
      try look(session, &desk, answers)
      let nextLook = MonotonicClock.now + Self.lookEvery
      waiting: while true {
        switch try answers.next(isWanted: desk.isAsking, until: nextLook) {
        case .line(let line):
          if try decide(line, session, &desk, answers) { break waiting }
        case .nothing: break waiting
        case .end: return
        }
      }
    }
  }

  private func sayThatNobodyWaits(_ session: Session) {
    session.remark("nobody waits yet; whoever comes is shown here, until ^D")
    if let invite = session.look(InviteReport.self, of: "invite") {
      session.remark("others join with: fsharefs \(ShellWord.quoted(invite.link)) MOUNTPOINT")
    }
  }

  private func look(
    _ session: Session, _ desk: inout ApprovalDesk, _ answers: AnswerLines
  ) throws {
    let (report, _) = try session.ask(MembersReport.self, of: "members")
    guard report.members.contains(where: { $0.isSelf && $0.isMaster }) else {
      try session.fail("only the master app decides about members; ask where it runs")
    }
    let shown = desk.seen(report.members)
    // The question that it belongs to still stands at the end of its line.
    if let note = shown.note { try session.write((answers.isTerminal ? "\n" : "") + note) }
    guard let question = shown.question else { return }
    // What was typed before the question is no answer to it.
    answers.forgetTyped()
    try session.write(question)
    try ask(session, answers)
  }

  private func ask(_ session: Session, _ answers: AnswerLines) throws {
    try session.write(ApprovalDesk.choices, end: answers.isTerminal ? " " : "\n")
  }

  /// Returns: whether the question was answered.
  private func decide(
    _ line: String, _ session: Session, _ desk: inout ApprovalDesk, _ answers: AnswerLines
  ) throws -> Bool {
    switch desk.answered(line) {
    case .approve(let member):
      // With the words that were shown: the number alone may be somebody else's by now.
      try order(["approve", "\(member.publicID)", member.words ?? ""], member, session, &desk)
    case .refuse(let member):
      try order(["disapprove", "\(member.publicID)"], member, session, &desk)
    case .later: break
    case .unclear:
      try ask(session, answers)
      return false
    }
    return true
  }

  private func order(
    _ words: [String], _ member: MemberReport, _ session: Session, _ desk: inout ApprovalDesk
  ) throws {
    do {
      try session.order(words[0], Array(words.dropFirst()))
    } catch let code as ExitCode where code == .failure {
      // Why was said; it may come back.
      desk.reopen(member)
    }
  }
}
