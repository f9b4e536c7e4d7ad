import Glibc

/// Runs the rows that were asked for, each with processes and folders of its own: one that fails
/// takes no other with it.
struct Bench {
  let options: Options

  func run() throws -> Report {
    let start = Clock.now
    let machine = "\(sysconf(Int32(_SC_NPROCESSORS_ONLN))) cores, kernel \(Bench.kernel)"
    var report = Report(isFull: options.isFull, runs: options.runs, machine: machine)
    for row in allRows where options.rows.contains(row.name) {
      let scratch = try Scratch()
      defer { scratch.cleanUp() }
      do {
        let stage = Stage(options: options, scratch: scratch, row: row.name)
        let outcome = try row.measure(on: stage)
        report.rows.append(Report.Row(name: row.name, title: row.title, outcome: outcome))
      } catch {
        // The user's wish to end is no row's failure.
        try Interruption.check()
        complain("\(row.name): \(error)")
        report.rows.append(
          Report.Row(
            name: row.name, title: row.title, outcome: Outcome(figures: []), failure: "\(error)"))
      }
    }
    report.seconds = Clock.now - start
    return report
  }

  private static var kernel: String {
    let text = Files.text(of: "/proc/sys/kernel/osrelease")
    return text.split(separator: "\n").first.map { String($0) } ?? "unknown"
  }
}
