import ArgumentParser
import Simulation

/// Plays histories of a virtual network and says which one breaks a rule.
@main
struct Simulate: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fshare-simulate",
    abstract: "Play histories of a virtual network of hub, master and members.")

  @Option(help: "The seed of the first history.")
  var seed: UInt64 = 1

  @Option(help: "How many histories to play, each with the next seed.")
  var histories = 1_000

  @Option(help: "How many steps each history has before it comes to rest.")
  var steps: Int?

  @Option(help: "Who lies: \(Liars.allCases.map(\.rawValue).joined(separator: ", ")).")
  var liars: String?

  @Option(help: "Lines of the trace that a failure shows.")
  var lines = 50

  @Option(help: "A deliberate fault: \(Sabotage.allCases.map(\.rawValue).joined(separator: ", ")).")
  var sabotage: String?

  @Flag(help: "Show all that happens in each history.")
  var verbose = false

  @Flag(help: "Go on behind a failure.")
  var keepGoing = false

  func run() throws {
    var output = StandardOutput()
    var sum = Statistics()
    var failures = 0
    let fault = try sabotage.map { try named($0, Sabotage.init(rawValue:)) }
    let lying = try liars.map { try named($0, Liars.init(rawValue:)) } ?? fault?.liars ?? .nobody
    for offset in 0..<UInt64(max(0, histories)) {
      let options = Options(seed: seed &+ offset, steps: steps, sabotage: fault, liars: lying)
      if verbose { for line in Simulation.trace(options) { output.write(line + "\n") } }
      do {
        sum += try Simulation.run(options, showing: lines)
      } catch {
        failures += 1
        output.write("\(error)\n")
        if !keepGoing { throw ExitCode.failure }
      }
    }
    output.write(
      """
      \(histories) histories, \(failures) failures: \(sum.events) events, \(sum.virtualSeconds) virtual seconds, \
      \(sum.changes) changes, \(sum.refusals) refused, \(sum.acks) of \(sum.waits) waits acked, \
      \(sum.verifiedReads) reads verified, \(sum.failedReads) failed of \(sum.reads), \
      \(sum.links) connections cut, \(sum.masterRestarts) master and \(sum.hubRestarts) hub restarts, \
      \(sum.setBacks) masters set back and \(sum.noticed) that noticed, \
      \(sum.lostRegistries) registries lost, \
      \(sum.lies) lies, \(sum.liesHeard) of them ordered, \
      \(sum.liarsRefused) connections of liars ended, \(sum.probes) honest requests beside them, \
      \(sum.hubLies) lies of hubs about the list, \(sum.falseLists) times found out

      By lines: \(sum.lines.leaves) leaves for \(sum.lines.requests) requests, \(sum.lines.shared) sent to the hub; \
      \(sum.lines.opened) ends opened, \(sum.lines.failedDials) of \(sum.lines.dials) dials failed, \
      somebody else answered \(sum.lines.strangers); \(sum.lines.cut) cut, \(sum.lines.stalled) stalled, \
      \(sum.lines.moves) moves; \(sum.lines.lies) lies, \(sum.lines.liarsEnded) lines of liars ended

      """)
    if failures > 0 { throw ExitCode.failure }
  }

  private func named<Value>(_ name: String, _ value: (String) -> Value?) throws -> Value {
    guard let value = value(name) else { throw ValidationError("there is no \(name)") }
    return value
  }
}
