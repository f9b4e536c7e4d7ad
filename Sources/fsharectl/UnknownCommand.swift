import ArgumentParser
import Control

/// Says what may have been meant where the first word is no command.
enum UnknownCommand {
  /// Options before the command that take a word with them.
  private static let withValue: Set<String> = ["--state", "--mount"]

  /// One line; nil where there is nothing to say.
  static func among(_ words: [String]) -> String? {
    // What a shell asks is the argument parser's alone.
    if words.first?.hasPrefix("---") == true || words.first == "--generate-completion-script" {
      return nil
    }
    var index = 0
    while index < words.count, words[index].hasPrefix("-") {
      if words[index] == "--" { return nil }
      index += withValue.contains(words[index]) ? 2 : 1
    }
    guard index < words.count else { return nil }
    let typed = words[index]
    let known = Fsharectl.configuration.subcommands.map { $0._commandName } + ["help"]
    if known.contains(typed) { return nil }
    let meant = Suggestion.nearest(to: typed, of: known).map { ": did you mean '\($0)'?" } ?? ""
    return "unknown command '\(typed)'\(meant) (fsharectl --help lists all)"
  }
}
