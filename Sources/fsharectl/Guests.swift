import ArgumentParser
import Control
import Glibc
import System

/// `fsharectl guest PATH`
struct Guest: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Make a link to a file or folder for somebody who has a browser and no fsharefs.",
    discussion: """
      Whoever has the link sees that file or folder, and nothing else; with --drop he may leave \
      files in the folder, and sees nothing. fsharefs must have been started with --window-listen.

      Example: fsharectl guest /mnt/share/holiday --for 2d
      """)

  @Argument(help: "A file or folder in the share or under the mountpoint.", completion: .file())
  var path: String

  @Option(
    name: .customLong("for"),
    help: ArgumentHelp(
      "How long it is good: 30m, 12h, 2d, or never (default 7d).",
      valueName: "time"))
  var time = "7d"

  @Flag(help: "The guest may leave files there, and reads nothing.")
  var drop = false

  @Option(
    help: ArgumentHelp("Bytes per second that go by it at most (500K, 10M).", valueName: "rate"))
  var rate: String?

  @Option(
    help: ArgumentHelp("With --drop: MiB that may be left (default 10240).", valueName: "mib"))
  var max: UInt64?

  @Option(
    help: ArgumentHelp(
      "Where guests find this machine, if not at its own address.", valueName: "host[:port]"))
  var address: String?

  @OptionGroup var options: CommonOptions

  func run() throws {
    let session = try Session(options, about: path)
    guard let seconds = Self.seconds(time) else {
      try session.fail("--for \(time): a time like 30m, 12h or 2d, or never", MountFinder.usage)
    }
    let words = PathWords.of(path)
    let (report, json) = try session.ask(
      GuestReport.self, of: "guest",
      [
        words[0], seconds.map { "\($0)" } ?? "", drop ? "drop" : "read", rate ?? "",
        max.map { "\($0 << 20)" } ?? "", address ?? "", words.count > 1 ? words[1] : "",
      ])
    if options.json { return try session.write(json) }
    if isatty(STDOUT_FILENO) == 1, let modules = QRCode.modules(of: report.link) {
      try session.write(HalfBlocks.text(modules))
    }
    try session.write(TerminalText.escaped(report.link))
    if let fingerprint = report.fingerprint {
      session.remark(
        "the guest's browser warns once; the certificate it shows has the SHA-256 \(fingerprint)")
    }
  }

  /// The inner nil: without an end. The outer one: it is no time.
  private static func seconds(_ text: String) -> Int64?? {
    if text == "never" { return .some(nil) }
    let units: [Character: Int64] = ["s": 1, "m": 60, "h": 3600, "d": 86_400]
    guard let unit = text.last.flatMap({ units[$0] }), let number = Int64(text.dropLast()),
      (1...1_000_000).contains(number)
    else { return nil }
    return .some(number * unit)
  }
}

/// `fsharectl guests`
struct Guests: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "List the links of guests, or end one.",
    discussion: "Example: fsharectl guests --end 3f0a9c2b11")

  @Option(help: ArgumentHelp("End the link with this id, at once.", valueName: "id"))
  var end: String?

  @OptionGroup var options: CommonOptions

  func run() throws {
    let session = try Session(options)
    if let end { return try session.order("guest-end", [end]) }
    try session.show(GuestsReport.self, of: "guests") { $0.text(session.style) }
  }
}
