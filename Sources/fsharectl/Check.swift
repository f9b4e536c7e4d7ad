import ArgumentParser
import Control
import State
import System

/// `fsharectl check [PATH]`
struct Check: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Read a file or folder of the mount whole, and say of each file whether it came.",
    discussion: """
      Every byte is read through the mount, past the kernel's memory; each leaf of others' files \
      is verified by its seal. Exit codes: 0 all is whole, 1 something is not.

      Without PATH it reads a state folder instead (a member's, a master's or a hub's, running or \
      not; --state), changes nothing, and says what is well in it and what to type.

      Examples: fsharectl check ~/share/films
                fsharectl check --state /backup/fsharefs
      """)

  @Argument(help: "A file or folder in the mount.", completion: .file())
  var path: String?

  @Flag(help: "Of the files, name only those that are not whole.")
  var quiet = false

  @OptionGroup var options: CommonOptions

  func run() throws {
    guard let path else { return try checkState() }
    try checkContent(path)
  }

  private func checkContent(_ path: String) throws {
    if options.state != nil {
      try Console.fail("check PATH reads through the mount: it takes no --state", MountFinder.usage)
    }
    let folder: String?
    do throws(MountFinder.NotFound) {
      folder = try MountFinder().stateFolder(containing: path)
    } catch { try Console.fail(error.text, error.code) }
    guard let folder else {
      try Console.fail("\(path) does not lie in a mount of fsharefs", MountFinder.usage)
    }
    let session = Session(stateFolder: folder, hasJSON: options.json)
    var check = ContentCheck(session, isQuiet: quiet || options.json)
    let report = try check.run(path)
    try session.write(
      options.json ? try JSONValue(encoding: report).text() : report.summary)
    if !report.isWhole { throw ExitCode.failure }
  }

  private func checkState() throws {
    let folder = try options.stateFolder()
    let found: StateCheck
    do throws(StateFault) { found = try StateCheck(folder) } catch {
      try Console.fail(error.description)
    }
    if options.json {
      try Console.write(try JSONValue(encoding: found).text())
    } else {
      try Console.write(found.lines.map(TerminalText.escaped).joined(separator: "\n"))
    }
    if !found.isWell { throw ExitCode.failure }
  }
}
