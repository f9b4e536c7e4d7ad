import ArgumentParser
import Control
import State

/// `fsharectl check`
struct Check: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Read a state folder (a member's, a master's or a hub's) and say what is well in it.",
    discussion: """
      Nothing is changed, and the folder may be in use. Exit codes: 0 all is well, 1 something is not; its line \
      says what to type.
      """)

  @OptionGroup var options: CommonOptions

  func run() throws {
    let session = Session(options)
    let found: StateCheck
    do throws(StateFault) { found = try StateCheck(options.stateFolder) } catch {
      try session.fail(error.description)
    }
    if options.json {
      try session.write(try JSONValue(encoding: found).text())
    } else {
      try session.write(found.lines.map(TerminalText.escaped).joined(separator: "\n"))
    }
    if !found.isWell { throw ExitCode.failure }
  }
}
