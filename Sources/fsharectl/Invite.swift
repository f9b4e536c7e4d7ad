import ArgumentParser
import Control
import Glibc

/// `fsharectl invite`
struct Invite: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Print the link by which others join the group, as a QR code too at a terminal.",
    discussion: """
      The link is no secret: whoever has it must still be approved. It names the hub's addresses, \
      and the keys of hub and master, so that a newcomer finds the right ones.

      Example: fsharectl invite --address hub.example.org
      """)

  @Option(
    help: ArgumentHelp(
      "Where others find the hub, if not where this member does.", valueName: "host[:port]"))
  var address: String?

  @OptionGroup var options: CommonOptions

  func run() throws {
    let session = try Session(options)
    let (report, json) = try session.ask(
      InviteReport.self, of: "invite", address.map { [$0] } ?? [])
    if options.json { return try session.write(json) }
    if isatty(STDOUT_FILENO) == 1, let modules = QRCode.modules(of: report.link) {
      try session.write(HalfBlocks.text(modules))
    }
    try session.write(TerminalText.escaped(report.link))
  }
}
