/// The answer to `check PATH`: what of the files there could be read, to their ends.
package struct CheckReport: Codable, Equatable, Sendable {
  /// One that could not.
  package struct Failure: Codable, Equatable, Sendable {
    /// The path, as it was reached from what was asked for: hostile until escaped.
    package var path: String
    /// Bytes of it that came before.
    package var bytes: UInt64
    /// What the read failed with, for people.
    package var error: String
    /// What `why` says of it, a sentence each: hostile until escaped. Empty where it says nothing.
    package var why: [String]

    /// A failure with every field given.
    package init(path: String, bytes: UInt64, error: String, why: [String]) {
      self.path = path
      self.bytes = bytes
      self.error = error
      self.why = why
    }
  }

  /// What was asked for.
  package var path: String
  /// Files that are whole, and bytes of them.
  package var files = 0
  package var bytes: UInt64 = 0
  /// Folders that were gone through.
  package var folders = 0
  /// Links and other things without a content of their own, which were passed by.
  package var passedBy = 0
  /// How long it took, and bytes per second.
  package var milliseconds: Int64 = 0
  package var rate: UInt64 = 0
  /// What is not whole, or could not be looked into.
  package var failures: [Failure] = []

  /// Nothing was looked at yet.
  package init(path: String) { self.path = path }

  /// Whether everything is whole.
  package var isWhole: Bool { failures.isEmpty }

  /// Bytes for people: `12.3 MiB`.
  package static func amount(_ bytes: UInt64) -> String { Amounts.bytes(bytes) }

  /// One line, safe to show.
  package var summary: String {
    var parts = [
      "\(Amounts.count(files, "file is", "files are")) whole", Amounts.bytes(bytes),
      "\(Amounts.bytes(rate))/s",
    ]
    if passedBy > 0 { parts.append("\(passedBy) passed by (links)") }
    if !failures.isEmpty { parts.append("\(failures.count) NOT whole") }
    return parts.joined(separator: ", ")
  }
}

extension CheckReport.Failure {
  /// The lines for people, safe to show.
  package func text(_ style: TextStyle) -> String {
    let head = "NOT WHOLE  \(TerminalText.escaped(path)): \(TerminalText.escaped(error))"
    let said = bytes > 0 ? " (\(Amounts.bytes(bytes)) of it came)" : ""
    return ([style.tinted(head + said, .bad)] + why.map { "  " + TerminalText.escaped($0) })
      .joined(separator: "\n")
  }
}
