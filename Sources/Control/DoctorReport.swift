/// The answer to `doctor`: what was looked at, and what to do where it is not well.
package struct DoctorReport: Codable, Equatable, Sendable {
  /// How something is.
  package enum Verdict: String, Codable, Sendable {
    case well
    /// It works, but not as well as it could.
    case caution
    /// It does not work.
    case bad
  }

  /// One thing that was looked at.
  package struct Finding: Codable, Equatable, Sendable {
    /// What, in a word that never changes: `fuse`, `rights`, `mount`, `hub`, `clock`, `port`,
    /// `own folder`, `state folder`, `inotify`, `running`.
    package var topic: String
    package var verdict: Verdict
    /// How it is: hostile until escaped.
    package var says: String
    /// What to type or to do; nil where all is well.
    package var remedy: String?

    /// A finding with every field given.
    package init(_ topic: String, _ verdict: Verdict, _ says: String, _ remedy: String? = nil) {
      self.topic = topic
      self.verdict = verdict
      self.says = says
      self.remedy = remedy
    }
  }

  package var findings: [Finding]

  /// A report, in the order given.
  package init(findings: [Finding]) { self.findings = findings }

  /// Whether nothing is broken.
  package var isWell: Bool { !findings.contains { $0.verdict == .bad } }

  /// The lines for people, each with what to do, safe to show in a terminal.
  package func text(_ style: TextStyle) -> String {
    findings.map { one in
      let (word, tint): (String, TextStyle.Tint) =
        switch one.verdict {
        case .well: ("well", .good)
        case .caution: ("care", .caution)
        case .bad: ("BAD ", .bad)
        }
      let remedy = one.remedy.map { ": \($0)" } ?? ""
      let topic = DisplayWidth.padded(one.topic, Self.topicColumns)
      let indent = 6 + Self.topicColumns + 1
      let lines = style.wrapped(
        TerminalText.escaped(one.says + remedy), firstColumn: indent, indent: indent)
      return ([style.tinted(word, tint) + "  " + topic + " " + lines[0]] + lines.dropFirst())
        .joined(separator: "\n")
    }.joined(separator: "\n")
  }

  private static let topicColumns = 12
}
