import ArgumentParser
import Control
import System

/// `fsharectl`: asks and steers the `fsharefs` that runs with a given state folder.
@main
struct Fsharectl: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fsharectl",
    abstract: "Ask and steer a running fsharefs.",
    discussion: """
      Exit codes: 0 done, 1 refused (the reason is on stderr), 64 wrong usage, \
      69 no fsharefs is running with that state folder.
      """,
    subcommands: [
      Status.self, Members.self, Approve.self, Disapprove.self, Watch.self, Invite.self, Name.self,
      Share.self, Unshare.self, Shares.self, Pause.self, Resume.self, Transfers.self, Why.self,
      Check.self,
    ])

  @OptionGroup var options: CommonOptions

  /// Paths are bytes, so the words are not taken as Swift has them.
  static func main() { main(Arguments.all) }
}

/// `fsharectl status`
struct Status: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show what this fsharefs is doing: its place in the group, its list and settings.")

  @OptionGroup var options: CommonOptions

  func run() throws {
    try Session(options).show(StatusReport.self, of: "status") { $0.text }
  }
}

/// `fsharectl members`
struct Members: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "List the members of the group, with their public ids and words.")

  @Flag(help: "However many wait for approval.")
  var all = false

  @OptionGroup var options: CommonOptions

  func run() throws {
    try Session(options).show(MembersReport.self, of: "members") { $0.text(all: all) }
  }
}

/// `fsharectl name NEWNAME`
struct Name: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Change the name that the group sees for this member.")

  @Argument(help: "The new name.")
  var name: String

  @OptionGroup var options: CommonOptions

  func run() throws { try Session(options).order("name", [name]) }
}
