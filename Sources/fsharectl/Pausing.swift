import ArgumentParser
import Control

/// What `pause` and `resume` are given.
struct PauseOptions: ParsableArguments {
  @Argument(
    help:
      "A file, or a folder with all below it, in the share or under the mountpoint. Default: everything.",
    completion: .file())
  var path: String?

  @Flag(help: "What others read of this member's files, instead of what is read here.")
  var uploads = false

  func validate() throws {
    if uploads, path != nil {
      throw ValidationError("--uploads is for all own files: it takes no path")
    }
  }

  /// Gives the order that is meant.
  func order(_ command: String, _ session: Session) throws {
    if uploads { return try session.order("\(command)-uploads", []) }
    try session.order(command, path.map(PathWords.of) ?? [])
  }
}

/// `fsharectl pause [PATH]`
struct Pause: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Hold reads of others' files: they wait, without a deadline, and nothing is fetched.",
    discussion: """
      What was fetched before is served. Of very many paused reads some fail with 'try again'. \
      Not kept over a restart.

      Example: fsharectl pause ~/share/films
      """)

  @OptionGroup var what: PauseOptions
  @OptionGroup var options: CommonOptions

  func run() throws { try what.order("pause", Session(options, about: what.path)) }
}

/// `fsharectl resume [PATH]`
struct Resume: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Let paused reads go on, each with the time that it had left.",
    discussion: "Example: fsharectl resume")

  @OptionGroup var what: PauseOptions
  @OptionGroup var options: CommonOptions

  func run() throws { try what.order("resume", Session(options, about: what.path)) }
}
