import Glibc

/// A file that nobody has read, from its owner through the hub to a reader.
enum SequentialRow: Row {
  static let name = "sequential"
  static let title = "cold sequential read, one reader"

  static func measure(on stage: Stage) throws -> Outcome {
    let size = stage.options.size
    let group = try Group(stage)
    let ssh = try SSH(stage)
    let relayed = stage.scratch.path("relayed")
    let series = try stage.rounds([
      Stage.Contender(group.name) { seed in try read(group, size, seed) },
      Stage.Contender(ssh.name) { seed in try read(ssh, size, seed) },
      Stage.Contender(Relay.name) { seed in
        try Content.write(relayed, size: size, seed: seed)
        defer { unlink(relayed) }
        try Memory.touch(for: size)
        return ["MB/s": Double(size) / 1e6 / (try Relay.timeToSend(relayed, size: size))]
      },
    ])
    let ours = series[group.name, "MB/s"]
    return Outcome(
      figures: [
        Figure(
          title, "MB/s", ours, against: (ssh.name, series[ssh.name, "MB/s"]),
          .atLeast(2.2, aim: 3)),
        Figure(
          title, "MB/s", ours, against: (Relay.name, series[Relay.name, "MB/s"]),
          .atLeast(0.3, aim: 0.42)),
        Figure(
          "processor: owner, hub and reader", "s/GB", series[group.name, total],
          .atMost(2, aim: 1.2)),
      ],
      notes: [group, ssh].map { (route: any Route) in
        let parts = route.processes.map {
          "\($0.role) \(rounded(median(series[route.name, key($0.role)])))"
        }
        return "processor s/GB, \(route.name): \(parts.joined(separator: ", "))"
      })
  }

  static let total = "s/GB"

  private static func key(_ role: String) -> String { "s/GB \(role)" }

  /// What reading a new file of this size takes.
  static func read(_ route: some Route, _ size: Int, _ seed: UInt64) throws
    -> [String: Double]
  {
    let file = "sequential-\(seed)"
    try Content.write("\(route.source)/\(file)", size: size, seed: seed)
    defer { unlink("\(route.source)/\(file)") }
    try Files.forget("\(route.source)/\(file)")
    try route.settle()
    try Memory.touch(for: size)
    let (seconds, used) = try route.accounting {
      try Content.timeToRead("\(route.target)/\(file)", size: size, seed: seed)
    }
    let gigabytes = Double(size) / 1e9
    var measured = ["MB/s": gigabytes * 1e3 / seconds]
    for (role, seconds) in used { measured[key(role)] = seconds / gigabytes }
    measured[total] = used.reduce(0) { $0 + $1.seconds } / gigabytes
    return measured
  }
}
