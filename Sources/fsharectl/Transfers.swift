import ArgumentParser
import Control
import Glibc
import System

/// `fsharectl transfers`
struct Transfers: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show what is being read and uploaded now: live on a terminal, until ^C.")

  @Flag(help: "Show it once, on a terminal too.")
  var once = false

  @OptionGroup var options: CommonOptions

  func run() throws {
    let session = Session(options)
    guard isatty(STDOUT_FILENO) == 1, !options.json, !once else {
      return try session.show(TransfersReport.self, of: "transfers") { $0.text }
    }
    var shown = 0
    while true {
      let (report, _) = try session.ask(TransfersReport.self, of: "transfers")
      let size = Self.terminalSize
      let lines = report.screen(columns: size.columns, rows: size.rows)
      // In one piece, so that no half of it is ever seen.
      try session.write(TransfersReport.redrawing(lines, over: shown), end: "")
      shown = lines.count
      _ = poll(nil, 0, 1_000)
    }
  }

  private static var terminalSize: (columns: Int, rows: Int) {
    var size = winsize()
    guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0, size.ws_row > 0
    else {
      return (80, 24)
    }
    return (Int(size.ws_col), Int(size.ws_row))
  }
}
