import ArgumentParser
import Control
import Glibc
import System

/// `fsharectl share PATH [--as NAME]`
struct Share: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Share a file or folder where it lies, without copying it.",
    discussion: """
      It is changed in its own place only: through the mount it is read-only. Kept over restarts; \
      `fsharectl unshare` takes it back.

      Example: fsharectl share ~/Pictures/2026 --as pictures
      """)

  @Argument(help: "The file or folder.", completion: .file())
  var path: String

  @Option(
    name: .customLong("as"),
    help: ArgumentHelp(
      "Where it is listed in the share. Default: the last part of PATH.", valueName: "name"))
  var name: String?

  @OptionGroup var options: CommonOptions

  func run() throws {
    let session = try Session(options)
    guard let real = File.resolved(path) else {
      try session.fail("'\(path)' cannot be shared: \(SystemError.reason(errno))")
    }
    try session.order("share", [real, name ?? PathWords.name(of: path, real)])
  }
}

/// `fsharectl unshare PATH|NAME`
struct Unshare: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Take back what is shared in place; it stays where it lies.",
    discussion: "Example: fsharectl unshare pictures")

  @Argument(help: "Its name in the share, or where it lies.", completion: Candidates.shares)
  var path: String

  @OptionGroup var options: CommonOptions

  func run() throws {
    let real = File.resolved(path).map { [$0] } ?? []
    try Session(options, about: path).order("unshare", PathWords.of(path) + real)
  }
}

/// `fsharectl shares`
struct Shares: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "List what is shared in place, and whether it is there.",
    discussion: "Example: fsharectl shares --json")

  @OptionGroup var options: CommonOptions

  func run() throws {
    let session = try Session(options)
    try session.show(SharesReport.self, of: "shares") { $0.text(session.style) }
  }
}
