/// Runs all contenders in turn, so that what the machine does meanwhile hits each alike.
struct Bench {
  private let options: Options
  private let contenders: [any Contender]

  init(_ options: Options, _ scratch: Scratch) throws {
    self.options = options
    contenders = [
      try Share(options.programs, scratch), try SSH(scratch), Relay(scratch),
    ]
  }

  /// Measures, and says each number as it comes.
  func run() throws -> Report {
    var speeds = [[Double]](repeating: [], count: contenders.count)
    var seed: UInt64 = 0
    for run in 1...options.runs {
      for (index, contender) in contenders.enumerated() {
        // A file of its own each time: no cache has seen it.
        seed += 1
        let seconds = try contender.measure(size: options.size, seed: seed)
        let speed = Double(options.size) / 1e6 / seconds
        speeds[index].append(speed)
        say("run \(run): \(contender.name): \(Int(speed.rounded())) MB/s")
      }
    }
    return Report(
      size: options.size,
      rows: zip(contenders, speeds).map { Report.Row(name: $0.name, speeds: $1) })
  }
}
