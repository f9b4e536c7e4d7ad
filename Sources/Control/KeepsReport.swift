/// The answer to `keeps`: what is kept in the disk cache, or fetched into it, and how much is here.
package struct KeepsReport: Codable, Equatable, Sendable {
  /// A file, or a folder with all below it.
  package struct Keep: Codable, Equatable, Sendable {
    package enum State: String, Codable, Sendable {
      /// All of it is here.
      case whole
      case fetching
      /// What is missing cannot be had now.
      case waiting
    }

    /// The path in the share, `/` for all of it: hostile until escaped (`TerminalText`).
    package var path: String
    /// Whether it is fetched once, and not kept.
    package var isOnce: Bool
    /// Others' files there, their bytes, and those of them that are here: of what was not looked
    /// into since the start, as many as fit what lies on the disk.
    package var files: Int
    package var bytes: UInt64
    package var bytesHere: UInt64
    package var state: State
    /// What it waits for, in words; nil where it does not.
    package var reason: String?

    /// One with every field given.
    package init(
      path: String, isOnce: Bool, files: Int, bytes: UInt64, bytesHere: UInt64, state: State,
      reason: String?
    ) {
      self.path = path
      self.isOnce = isOnce
      self.files = files
      self.bytes = bytes
      self.bytesHere = bytesHere
      self.state = state
      self.reason = reason
    }
  }

  /// Sorted by their paths.
  package var keeps: [Keep]
  /// Bytes of the disk cache that are kept, and bytes that it may hold.
  package var keptBytes: UInt64
  package var cacheLimit: UInt64

  /// A report with every field given.
  package init(keeps: [Keep], keptBytes: UInt64, cacheLimit: UInt64) {
    self.keeps = keeps
    self.keptBytes = keptBytes
    self.cacheLimit = cacheLimit
  }
}

extension KeepsReport {
  /// The report for people, safe to show in a terminal.
  package func text(_ style: TextStyle = .plain) -> String {
    if keeps.isEmpty { return "nothing is kept" }
    let table = TextTable(
      head: ["PATH", "STATE", "FILES", "HERE", "WAITS FOR"],
      rows: keeps.map { keep in
        [
          keep.path, keep.isOnce ? "\(keep.state.rawValue) once" : keep.state.rawValue,
          "\(keep.files)", keep.amount, keep.reason ?? "",
        ]
      }
    ) { $0 == 1 && $1.hasPrefix("waiting") ? .caution : nil }
    let room = "kept: \(Amounts.bytes(keptBytes, of: cacheLimit)) of the disk cache"
    return table.text(style) + "\n" + room
  }
}

extension KeepsReport.Keep {
  /// `12.3 of 40.0 MiB`.
  package var amount: String { Amounts.bytes(bytesHere, of: bytes) }
}
