/// The answer to `shares`: what is shared in place.
package struct SharesReport: Codable, Equatable, Sendable {
  /// One file or folder that is shared where it lies.
  package struct Share: Codable, Equatable, Sendable {
    /// Whether it is there.
    package enum State: String, Codable, Sendable {
      case shared
      /// Nothing can be read at its path now: it is shared again when it is back.
      case missing
    }

    /// What it is.
    package enum Kind: String, Codable, Sendable {
      case file, folder
    }

    /// The path in the share at which it is listed: hostile until escaped (`TerminalText`).
    package var name: String
    /// Where it lies.
    package var path: String
    /// Whether it is there.
    package var state: State
    /// What it is; nil while it is missing.
    package var kind: Kind?

    /// A share with every field given.
    package init(name: String, path: String, state: State, kind: Kind?) {
      self.name = name
      self.path = path
      self.state = state
      self.kind = kind
    }
  }

  /// In the order in which they were shared.
  package var shares: [Share]

  /// A report, in the order given.
  package init(shares: [Share]) { self.shares = shares }
}

extension SharesReport {
  /// The report for people: one aligned line per share, safe to show in a terminal.
  package func text(_ style: TextStyle = .plain) -> String {
    if shares.isEmpty { return "nothing is shared in place" }
    return TextTable(
      head: ["NAME", "STATE", "KIND", "PATH"],
      rows: shares.map { [$0.name, $0.state.rawValue, $0.kind?.rawValue ?? "", $0.path] }
    ) { $0 == 1 && $1 == "missing" ? .caution : nil }.text(style)
  }
}
