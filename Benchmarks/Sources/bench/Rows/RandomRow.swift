import Glibc

/// Pieces of 4 KiB from all over a large file, one after the other.
enum RandomRow: Row {
  static let name = "random"
  static let title = "random reads of 4 KiB"
  private static let count = 4_000
  /// The pieces are that size, and begin at multiples of it.
  private static let piece = 4_096
  /// Who is so slow needs no more reads to be measured.
  private static let patience = 10.0

  static func measure(on stage: Stage) throws -> Outcome {
    // Much larger than what is read, so that hardly anything is read twice.
    let size = stage.options.size
    let group = try Group(stage)
    let ssh = try SSH(stage)
    let series = try stage.rounds([
      Stage.Contender(group.name) { seed in try read(group, size, seed) },
      Stage.Contender(ssh.name) { seed in try read(ssh, size, seed) },
    ])
    return Outcome(
      figures: [
        Figure(
          title, "reads/s", series[group.name, "reads/s"],
          against: (ssh.name, series[ssh.name, "reads/s"]), .atLeast(1.3, aim: 2))
      ],
      notes: [group, ssh].map { (route: any Route) in
        let micros = rounded(median(series[route.name, "processor µs"]))
        return "processor µs for each random read, \(route.name): \(micros)"
      })
  }

  /// What reading a new file of this size so takes.
  static func read(_ route: some Route, _ size: Int, _ seed: UInt64) throws
    -> [String: Double]
  {
    let file = "random-\(seed)"
    try Content.write("\(route.source)/\(file)", size: size, seed: seed)
    defer { unlink("\(route.source)/\(file)") }
    try Files.forget("\(route.source)/\(file)")
    try route.settle()
    try Memory.touch(for: size)
    let (measured, used) = try route.accounting { try speed("\(route.target)/\(file)", size) }
    let seconds = used.reduce(0) { $0 + $1.seconds }
    return ["reads/s": measured.speed, "processor µs": seconds / Double(measured.count) * 1e6]
  }

  private static func speed(_ path: String, _ size: Int) throws -> (speed: Double, count: Int) {
    let file = try checked("open \(path)") { open(path, O_RDONLY | O_CLOEXEC) }
    defer { close(file) }
    // The same places for every contender.
    var generator: UInt64 = 1
    var bytes = [UInt8](repeating: 0, count: piece)
    var done = 0
    let start = Clock.now
    while done < count, Clock.now - start < patience {
      generator = generator &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      let offset = Int(generator >> 33) % (size / piece) * piece
      let got = try checked("read \(path)") { pread(file, &bytes, piece, offset) }
      guard got == piece else { throw Failure("\(path): \(got) bytes at \(offset)") }
      done += 1
    }
    return (Double(done) / (Clock.now - start), done)
  }
}
