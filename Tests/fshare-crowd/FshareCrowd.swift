import ArgumentParser
import Glibc
import System

/// Many idle members of one hub, for measuring what they cost it. It says `admitted SECONDS` when
/// all were approved, and left again; `live SECONDS REFUSED TURNED-AWAY UNREACHABLE` when all are
/// connected; once SIGUSR1 came, `heard P99-OF-1,000 P99 LAST` (ms) for each change that one of
/// them makes, and `told` behind the last; `back REFUSED TURNED-AWAY UNREACHABLE` once the hub was gone
/// and all are live again. It ends when it is told to (SIGTERM).
@main
struct FshareCrowd: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fshare-crowd",
    abstract: "Be the members of a hub of your own, on this machine.")

  @Argument(help: "Port of the hub on 127.0.0.1.")
  var port: UInt16

  @Argument(help: "The state folder of its master.")
  var master: String

  @Option(help: "How many members.")
  var members = 1_000

  @Option(help: "From how many addresses of this machine they come.")
  var addresses = 250

  @Option(help: "How many of them are approved at a time.")
  var atOnce = 250

  @Option(help: "How many changes they hear.")
  var changes = 21

  /// So many of those who hear a change count in its first figure.
  private static let listeners = 1_000

  func run() throws {
    DescriptorLimit.raise()
    let crowd = try Crowd(members, of: port, addresses: addresses)
    let start = MonotonicClock.now
    try crowd.admit(by: master, atOnce: atOnce)
    try say("admitted \(seconds(since: start))")
    let connecting = MonotonicClock.now
    try crowd.connect()
    try say("live \(seconds(since: connecting)) \(figures(crowd.ends))")
    try crowd.waitForOrder()
    for _ in 0..<changes {
      let all = try crowd.change()
      // As many as there are to be, from all over the crowd.
      let step = max(1, all.count / Self.listeners)
      let some = stride(from: 0, to: all.count, by: step).map { all[$0] }
      try say("heard \(percentile(some)) \(percentile(all)) \(milliseconds(all.max() ?? .zero))")
      try crowd.serve("it is quiet", until: pause(.milliseconds(200)))
    }
    try say("told")
    try crowd.comeBack()
    try say("back \(figures(crowd.ends))")
    try crowd.waitForOrder()
  }

  private func figures(_ ends: Crowd.Ends) -> String {
    "\(ends.refused) \(ends.turnedAway) \(ends.unreachable) \(ends.reason ?? "")"
  }

  private func pause(_ time: Duration) -> () -> Bool {
    let end = MonotonicClock.now + time
    return { MonotonicClock.now >= end }
  }

  private func percentile(_ times: [Duration]) -> Double {
    let sorted = times.sorted()
    return milliseconds(sorted[min(sorted.count - 1, sorted.count * 99 / 100)])
  }

  private func milliseconds(_ time: Duration) -> Double { time / .milliseconds(1) }

  private func seconds(since start: Duration) -> Double {
    (MonotonicClock.now - start) / .seconds(1)
  }

  private func say(_ line: String) throws {
    let bytes = Array((line + "\n").utf8)
    guard bytes.withUnsafeBytes({ write(1, $0.baseAddress, $0.count) }) == bytes.count else {
      throw ExitCode.failure
    }
  }
}
