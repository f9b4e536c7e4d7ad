import ArgumentParser
import Control
import Glibc
import System

/// `fsharectl transfers`
struct Transfers: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show what is being read and uploaded now: live on a terminal, until ^C.",
    discussion: """
      Small files of one member are added up; --json has each.

      Example: fsharectl transfers --once
      """)

  @Flag(help: "Show it once, on a terminal too.")
  var once = false

  @OptionGroup var options: CommonOptions

  func run() throws {
    let session = try Session(options)
    guard isatty(STDOUT_FILENO) == 1, !options.json, !once else {
      return try session.show(TransfersReport.self, of: "transfers") { $0.text(session.style) }
    }
    var shown = 0
    while true {
      let (report, _) = try session.ask(TransfersReport.self, of: "transfers")
      let size = Console.size
      let lines = report.screen(columns: size.columns, rows: size.rows)
      // In one piece, so that no half of it is ever seen.
      try session.write(TransfersReport.redrawing(lines, over: shown), end: "")
      shown = lines.count
      _ = poll(nil, 0, 1_000)
    }
  }
}
