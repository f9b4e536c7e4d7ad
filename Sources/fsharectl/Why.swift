import ArgumentParser
import Control

/// `fsharectl why PATH`
struct Why: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract:
      "Tell where a file is, whether it is in memory, what it waits for and what limits it.",
    discussion: "Example: fsharectl why ~/share/films/film.mkv")

  @Argument(
    help: "A file or folder, in the share or under the mountpoint.", completion: .file())
  var path: String

  @OptionGroup var options: CommonOptions

  func run() throws {
    let session = try Session(options, about: path)
    try session.show(WhyReport.self, of: "why", PathWords.of(path)) { $0.text(session.style) }
  }
}
