import ArgumentParser
import Control
import System

/// `fsharectl doctor`
struct Doctor: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Look at machine and mounts for what is not well, and say what to do, line by line.",
    discussion: """
      All that run here, or the one that --mount or --state says. Nothing is changed. Exit \
      codes: 0 nothing is broken, 1 something is.

      Example: fsharectl doctor
      """)

  @OptionGroup var options: CommonOptions

  func run() throws {
    let finder = MountFinder()
    var findings = MachineCheckUp.findings
    if let mount = options.mount, let dead = finder.unserved(containing: mount) {
      findings += StaleMounts.findings([dead])
    } else if options.mount != nil || options.state != nil {
      findings += MountCheckUp(try options.stateFolder()).findings
    } else {
      findings += StaleMounts.findings(finder.unserved)
      findings += finder.running.flatMap { MountCheckUp($0.stateFolder).findings }
      if finder.running.isEmpty { findings += nothingRuns }
    }
    let report = DoctorReport(findings: findings)
    try Console.write(
      options.json ? try JSONValue(encoding: report).text() : report.text(Console.style))
    if !report.isWell { throw ExitCode.failure }
  }

  private var nothingRuns: [DoctorReport.Finding] {
    [
      .init(
        "running", .caution, "no fsharefs of this user runs",
        "fsharefs MOUNTPOINT, or fsharefs --host MOUNTPOINT to begin a group")
    ] + HubProbe.freePort() + (MountCheckUp(kept: XDG.state)?.findings ?? [])
  }
}
