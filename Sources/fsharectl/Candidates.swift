import ArgumentParser
import Control
import System

/// What the shell may complete a word to, asked of the running `fsharefs` while somebody types.
enum Candidates {
  /// Numbers and names of members in one of the given states, but for oneself.
  static func members(_ states: MemberReport.State...) -> CompletionKind {
    .custom { words, _, _ in
      guard let report = report(MembersReport.self, of: "members", words) else { return [] }
      let others = report.members.filter { states.contains($0.state) && !$0.isSelf }
      return others.map { "\($0.publicID)" } + others.map(\.name).filter(isSafe)
    }
  }

  /// Names of what is shared in place.
  static let shares = CompletionKind.custom { words, _, _ in
    report(SharesReport.self, of: "shares", words)?.shares.map(\.name).filter(isSafe) ?? []
  }

  /// Where what runs here is mounted.
  static let mounts = CompletionKind.custom { _, _, _ in
    MountFinder().running.compactMap(\.mountpoint).filter(isSafe)
  }

  /// Nobody waits longer for a word.
  private static let patience: Duration = .seconds(2)

  /// nil where nothing runs, or nothing is to be had: a shell has no use for the reason.
  private static func report<Report: Decodable>(
    _ type: Report.Type, of command: String, _ words: [String]
  ) -> Report? {
    stateFolder(in: words).flatMap {
      ControlClient.report(type, of: command, stateFolder: $0, timeout: patience)
    }
  }

  /// The state folder that the line typed so far means; nil where it cannot be told.
  private static func stateFolder(in words: [String]) -> String? {
    try? MountFinder.stateFolder(
      state: value(of: "--state", in: words), mount: value(of: "--mount", in: words),
      for: .deciders)
  }

  private static func value(of option: String, in words: [String]) -> String? {
    for (index, word) in words.enumerated() {
      if word == option { return index + 1 < words.count ? words[index + 1] : nil }
      if word.hasPrefix(option + "=") { return String(word.dropFirst(option.count + 1)) }
    }
    return nil
  }

  /// Whether no shell makes anything else of a word. Members choose their names themselves, and
  /// bash's `compgen -W` runs what is between `$(` and `)` in what it is given. Who has another
  /// name is completed by the number.
  private static func isSafe(_ word: String) -> Bool {
    !word.hasPrefix("-")
      && word.allSatisfy {
        $0.isLetter || $0.isNumber || $0 == "." || $0 == "_" || $0 == "-" || $0 == "/"
      }
  }
}
