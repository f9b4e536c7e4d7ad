import System

/// Asks about the clients that wait for approval, one at a time: what `fsharectl watch` does,
/// without its terminal.
package struct ApprovalDesk: Sendable {
  /// What is to be shown after a look at the members.
  package struct Shown: Equatable, Sendable {
    /// What became of the client that was asked about, without an answer.
    package var note: String?
    /// Who asks to be let in now; safe to show in a terminal.
    package var question: String?

    /// Nothing, unless it is given.
    package init(note: String? = nil, question: String? = nil) {
      self.note = note
      self.question = question
    }
  }

  /// What an answer comes to.
  package enum Decision: Equatable, Sendable {
    case approve(MemberReport)
    case refuse(MemberReport)
    case later
    /// The answer is none: the question stays.
    case unclear
  }

  /// One client: a number alone may be somebody else's the next time.
  private struct Applicant: Hashable {
    let publicID: UInt32
    let words: String?

    init(_ member: MemberReport) {
      publicID = member.publicID
      words = member.words
    }
  }

  /// What may be answered.
  package static let choices = "[a]pprove, [r]efuse, [l]ater?"
  private var asked: MemberReport?
  /// Those that are not asked about again.
  private var settled: Set<Applicant> = []

  /// A desk at which nobody was yet.
  package init() {}

  /// Whether an answer is awaited.
  package var isAsking: Bool { asked != nil }

  /// Looks who waits now. Asks about the first that is connected, unless a question is open.
  package mutating func seen(_ members: [MemberReport]) -> Shown {
    var shown = Shown()
    if let open = asked {
      let now = members.first { Applicant($0) == Applicant(open) }
      if let now, Self.waits(now) { return shown }
      asked = nil
      shown.note = Self.note(open, now)
    }
    asked = members.first { Self.waits($0) && !settled.contains(Applicant($0)) }
    shown.question = asked.map(Self.question)
    return shown
  }

  /// Takes a line as an answer to the open question.
  package mutating func answered(_ line: String) -> Decision {
    guard let open = asked else { return .unclear }
    let decision: Decision
    switch line.lowercased().filter({ !$0.isWhitespace }) {
    case "a", "approve": decision = .approve(open)
    case "r", "refuse": decision = .refuse(open)
    case "l", "later": decision = .later
    default: return .unclear
    }
    asked = nil
    settled.insert(Applicant(open))
    return decision
  }

  /// A decision could not be carried out: the client is asked about again.
  package mutating func reopen(_ member: MemberReport) { settled.remove(Applicant(member)) }

  private static func waits(_ member: MemberReport) -> Bool {
    member.state == .waiting && member.presence == .online && !member.isMaster
  }

  private static func note(_ open: MemberReport, _ now: MemberReport?) -> String {
    let who = "client \(open.publicID) (\(TerminalText.escaped(open.name)))"
    guard let now, now.state != .waiting else { return "\(who) has gone" }
    return "\(who) was \(now.state.rawValue) elsewhere"
  }

  private static func question(_ member: MemberReport) -> String {
    (["client \(member.publicID) asks to be let in"] + details(of: member)).joined(separator: "\n")
  }

  /// What is known of a client, a line each; safe to show in a terminal.
  package static func details(of member: MemberReport) -> [String] {
    let lines = [
      ("name", member.name), ("system", member.system), ("address", member.address ?? "not known"),
      ("first seen", member.firstSeen.map { LocalTime.text($0) } ?? "not known"),
      ("words", member.words ?? "not known"),
    ]
    return lines.map { name, value in "  \(name): \(TerminalText.escaped(value))" }
  }
}
