import ArgumentParser
import Control
import Glibc
import System

/// `fsharectl`: asks and steers the `fsharefs` that runs here.
@main
struct Fsharectl: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fsharectl",
    abstract: "Ask and steer a running fsharefs.",
    discussion: """
      Which one: the mount that PATH or the current directory lies in, or the only one that runs; \
      else --mount or --state says it.

      Exit codes: 0 done, 1 refused or something is not well (stderr or the output says what), 64 \
      wrong usage, or several run, 69 none runs, 77 it is another user's.

      Example: fsharectl status
      """,
    version: ProgramVersion.text,
    subcommands: [
      Status.self, Members.self, Approve.self, Disapprove.self, Watch.self, Invite.self, Name.self,
      Share.self, Unshare.self, Shares.self, Pause.self, Resume.self, Transfers.self, Why.self,
      Limit.self, Keep.self, Unkeep.self, Keeps.self, Fetch.self, Check.self, Doctor.self,
      Leave.self, Window.self, Guest.self, Guests.self,
    ])

  @OptionGroup var options: CommonOptions

  /// Paths are bytes, so the words are not taken as Swift has them.
  static func main() {
    let words = Arguments.all
    if let unknown = UnknownCommand.among(words) {
      Console.remark(unknown)
      Glibc.exit(MountFinder.usage.rawValue)
    }
    main(words)
  }
}

/// `fsharectl status`
struct Status: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show what this fsharefs is doing: its place in the group, what waits.",
    discussion: "Example: fsharectl status --all")

  @Flag(help: "With what is rarely asked for, and every setting that is in force.")
  var all = false

  @OptionGroup var options: CommonOptions

  func run() throws {
    let session = try Session(options)
    let (answer, json) = try session.ask(JSONValue.self, of: "status")
    if options.json { return try session.write(json) }
    if let report = try? answer.decode(as: StatusReport.self) {
      return try session.write(report.text(session.style, all: all))
    }
    guard let hub = try? answer.decode(as: HubReport.self) else {
      try session.fail("the answer to status is not understood (is fsharefs of another version?)")
    }
    try session.write(hub.text(session.style))
  }
}

/// `fsharectl members`
struct Members: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "List the members of the group, with their public ids and words.",
    discussion: """
      Who waits for approval, systems and addresses are told to the master only.

      Example: fsharectl members --json
      """)

  @Flag(help: "However many wait for approval.")
  var all = false

  @OptionGroup var options: CommonOptions

  func run() throws {
    let session = try Session(options)
    try session.show(MembersReport.self, of: "members") { $0.text(session.style, all: all) }
  }
}

/// `fsharectl name NEWNAME`
struct Name: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Change the name that the group sees for this member.",
    discussion: "Example: fsharectl name \"Anna's laptop\"")

  @Argument(help: "The new name.")
  var name: String

  @OptionGroup var options: CommonOptions

  func run() throws { try Session(options).order("name", [name]) }
}
