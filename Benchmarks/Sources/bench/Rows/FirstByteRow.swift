import Glibc

/// How long a program waits for the contents of a small file that nobody has opened, each in a
/// folder of its own: no neighbour brings it along.
enum FirstByteRow: Row {
  static let name = "first-byte"
  static let title = "first byte of a small file"
  private static let count = 200

  static func measure(on stage: Stage) throws -> Outcome {
    let group = try Group(stage)
    let ssh = try SSH(stage)
    let series = try stage.rounds([
      Stage.Contender(group.name) { seed in ["µs": try time(group, count, seed) * 1e6] },
      Stage.Contender(ssh.name) { seed in ["µs": try time(ssh, count, seed) * 1e6] },
    ])
    return Outcome(figures: [
      Figure(
        title, "µs", series[group.name, "µs"], against: (ssh.name, series[ssh.name, "µs"]),
        .atMost(1, aim: 0.6))
    ])
  }

  /// Median of the seconds from before the open of a file of 4 KiB until its contents are there.
  /// The kernel knows the file's folder, not the file.
  static func time(_ route: some Route, _ count: Int, _ seed: UInt64) throws -> Double {
    let names = (0..<count).map { "first-\(seed)-\($0)" }
    for name in names {
      try Files.makeFolder("\(route.source)/\(name)")
      try Content.write("\(route.source)/\(name)/file", size: 4_096, seed: seed)
    }
    try route.settle()
    return median(
      try names.map { name in
        guard Files.size(of: "\(route.target)/\(name)") != nil else {
          throw Failure("\(route.name) does not show \(name)")
        }
        return try Content.timeToRead("\(route.target)/\(name)/file", size: 4_096, seed: seed)
      })
  }
}
