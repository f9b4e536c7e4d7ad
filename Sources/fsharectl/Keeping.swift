import ArgumentParser
import Control
import Glibc
import System

/// What `keep` and `fetch` are given.
struct KeepOptions: ParsableArguments {
  @Argument(
    help: "A file, or a folder with all below it, in the share or under the mountpoint.",
    completion: .file())
  var path: String

  @Flag(help: "Return at once, and let it go on by itself.")
  var nowait = false

  /// What cannot be had is waited for so long, before it is said.
  private static let patience: Duration = .seconds(5)
  private static let every: Duration = .milliseconds(250)

  /// Gives the order, and shows how it goes on until all is here.
  func order(_ command: String, _ options: CommonOptions) throws {
    let session = try Session(options, about: path)
    let words = PathWords.of(path)
    let response = try session.answer(to: command, words)
    guard response.status == 0 else { try session.fail(response.message) }
    if nowait {
      return try session.write(
        options.json
          ? try JSONValue.object(["message": .string(response.message)]).text()
          : TerminalText.escaped(response.message))
    }
    try follow(session, words, options)
  }

  private func follow(_ session: Session, _ words: [String], _ options: CommonOptions) throws {
    var progress = ProgressLine()
    var waitsSince: Duration?
    while true {
      let asked = MonotonicClock.now
      let (report, _) = try session.ask(KeepsReport.self, of: "keeps", words)
      guard let keep = report.keeps.first else {
        progress.clear()
        try session.fail("it is not kept any more")
      }
      let now = MonotonicClock.now
      waitsSince = keep.state == .waiting ? waitsSince ?? now : nil
      let isStuck = waitsSince.map { now - $0 >= Self.patience } ?? false
      if keep.state == .whole || isStuck {
        progress.clear()
        try session.write(
          options.json ? try JSONValue(encoding: keep).text() : Self.text(keep))
        if isStuck { throw ExitCode.failure }
        return
      }
      if !options.json {
        progress.show("\(keep.files) files, \(keep.amount)" + (keep.reason.map { ": \($0)" } ?? ""))
      }
      // Of a million files the answer takes its time.
      let pause = max(Self.every, (MonotonicClock.now - asked) * 10)
      _ = poll(nil, 0, Int32(clamping: Int(pause / .milliseconds(1))))
    }
  }

  private static func text(_ keep: KeepsReport.Keep) -> String {
    let path = TerminalText.escaped(keep.path)
    if keep.state == .whole { return "\(path) is here whole: \(keep.files) files, \(keep.amount)" }
    return "\(path) is not here whole, and goes on by itself: \(keep.amount)"
      + (keep.reason.map { "; \(TerminalText.escaped($0))" } ?? "")
  }
}

/// `fsharectl keep PATH`
struct Keep: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Fetch others' files whole, and keep them here: readable without the network.",
    discussion: """
      They lie in the disk cache (--cache) and do not go out of it; what comes to lie below a \
      folder later is fetched too. Kept over restarts; ^C lets it go on by itself. Exit codes: 0 \
      all is here, 1 not all can be had now.

      Example: fsharectl keep ~/share/travel
      """)

  @OptionGroup var what: KeepOptions
  @OptionGroup var options: CommonOptions

  func run() throws { try what.order("keep", options) }
}

/// `fsharectl fetch PATH`
struct Fetch: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Fetch others' files whole into the disk cache, once.",
    discussion: """
      They go out of the cache again like all that was read. ^C lets it go on by itself.

      Example: fsharectl fetch ~/share/films/today.mkv
      """)

  @OptionGroup var what: KeepOptions
  @OptionGroup var options: CommonOptions

  func run() throws { try what.order("fetch", options) }
}

/// `fsharectl unkeep PATH`
struct Unkeep: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Keep others' files no longer: they go when room is needed.",
    discussion: "Example: fsharectl unkeep ~/share/travel")

  @Argument(help: "What was kept, or a folder above it.", completion: .file())
  var path: String

  @OptionGroup var options: CommonOptions

  func run() throws {
    try Session(options, about: path).order("unkeep", PathWords.of(path))
  }
}

/// `fsharectl keeps`
struct Keeps: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "List what is kept, how much of it is here, and what the rest waits for.",
    discussion: "Example: fsharectl keeps --json")

  @OptionGroup var options: CommonOptions

  func run() throws {
    try Session(options).show(KeepsReport.self, of: "keeps") { $0.text(Console.style) }
  }
}
