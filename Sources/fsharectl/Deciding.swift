import ArgumentParser
import Control
import System

/// `fsharectl approve ID|NAME`
struct Approve: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Let a waiting member in. Only the master can.",
    discussion: """
      In a terminal it shows who that is and asks. A name is what somebody calls himself: compare \
      the words with those that the newcomer's own screen shows.

      Example: fsharectl approve 3 --words "loud anna mild tree calm sea"
      """)

  /// Wrong usage (sysexits' EX_USAGE).
  private static let usage = ExitCode(64)

  @Argument(
    help: "Public id or name, as `fsharectl members` shows them.",
    completion: Candidates.members(.waiting, .disapproved))
  var member: String

  @Option(
    help: ArgumentHelp(
      "The six words that the newcomer's own screen shows; others are refused.",
      discussion: "Four letters of each suffice.", valueName: "words"))
  var words: String?

  @Flag(help: "Ask nothing: let in whoever has that number or name now.")
  var yes = false

  @OptionGroup var options: CommonOptions

  func run() throws {
    let session = try Session(options, for: .deciders)
    if let words { return try session.order("approve", [member, words]) }
    if yes { return try session.order("approve", [member]) }
    let (report, _) = try session.ask(MembersReport.self, of: "members")
    // The reason why not is the master's to say.
    guard report.members.contains(where: { $0.isSelf && $0.isMaster }) else {
      return try session.order("approve", [member])
    }
    let one: MemberReport
    do { one = try report.client(called: member) } catch { try session.fail("\(error)") }
    let answers = AnswerLines()
    guard answers.isTerminal, !options.json else {
      try session.fail(
        "nobody can be asked here whether client \(one.publicID) is who it should be: give --words "
          + "\"…\" with what its own screen shows, or --yes",
        Self.usage)
    }
    answers.forgetTyped()
    let lines = ["client \(one.publicID)"] + ApprovalDesk.details(of: one)
    try session.write(lines.joined(separator: "\n"))
    guard try isAgreed(session, answers) else { try session.fail("not approved") }
    // With the words that were shown: the number alone may be somebody else's by now.
    try session.order("approve", ["\(one.publicID)", one.words ?? ""])
  }

  /// Asks until there is an answer.
  private func isAgreed(_ session: Session, _ answers: AnswerLines) throws -> Bool {
    while true {
      try session.write("Does its own screen show these words? Let it in? [y]es, [n]o: ", end: "")
      waiting: while true {
        switch try answers.next(isWanted: true, until: MonotonicClock.now + .seconds(3_600)) {
        case .line(let line):
          switch line.lowercased().filter({ !$0.isWhitespace }) {
          case "y", "yes": return true
          case "n", "no": return false
          default: break waiting
          }
        case .nothing: continue
        case .end: return false
        }
      }
    }
  }
}

/// `fsharectl disapprove ID|NAME`
struct Disapprove: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Put a member out: its files leave every list at once. Only the master can.",
    discussion: "Example: fsharectl disapprove 3")

  @Argument(
    help: "Public id or name, as `fsharectl members` shows them.",
    completion: Candidates.members(.waiting, .approved))
  var member: String

  @OptionGroup var options: CommonOptions

  func run() throws {
    try Session(options, for: .deciders).order("disapprove", [member])
  }
}
