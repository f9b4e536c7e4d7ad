import ArgumentParser
import Control

/// `fsharectl limit [--up RATE] [--down RATE]`
struct Limit: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Bound how fast this member uploads and reads; without options, show it.",
    discussion: """
      RATE is in bytes per second: 500K, 2M, 1.5G, none. It is for the contents of files, over the \
      line to the hub, until the process ends; -o up=RATE,down=RATE is for every start. A host's \
      hub passes on what others read of each other without limit.

      Example: fsharectl limit --up 2M
      """)

  @Option(help: ArgumentHelp("What others read of this member's files.", valueName: "rate"))
  var up: String?

  @Option(help: ArgumentHelp("What this member reads of others' files.", valueName: "rate"))
  var down: String?

  @OptionGroup var options: CommonOptions

  func run() throws {
    let words = (up.map { ["up=\($0)"] } ?? []) + (down.map { ["down=\($0)"] } ?? [])
    try Session(options).show(LimitsReport.self, of: "limit", words) { $0.text }
  }
}
