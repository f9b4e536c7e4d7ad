import Glibc

/// Four files read at the same time, and the memory that this takes.
enum FourFilesRow: Row {
  static let name = "four"
  static let title = "4 files at once"
  /// MiB: the budget of a reader's leaves, and what is allowed beside it.
  private static let readerMemory = 256.0 + 64

  static func measure(on stage: Stage) throws -> Outcome {
    // 4 × 2 GiB in the long form.
    let size = stage.options.isFull ? stage.options.size : stage.options.size / 4
    let group = try Group(stage)
    let ssh = try SSH(stage)
    let series = try stage.rounds([
      Stage.Contender(group.name) { seed in
        try Usage.forgetPeak(group.reader.pid)
        try Usage.forgetPeak(group.hub.pid)
        var measured = try read(group, size, seed)
        measured["reader MiB"] = try Usage.peak(group.reader.pid)
        measured["hub MiB"] = try Usage.peak(group.hub.pid)
        return measured
      },
      Stage.Contender(ssh.name) { seed in try read(ssh, size, seed) },
    ])
    return Outcome(figures: [
      Figure(
        title, "MB/s", series[group.name, "MB/s"],
        against: (ssh.name, series[ssh.name, "MB/s"]), .atLeast(2, aim: 2.5)),
      Figure(
        "memory of the reader meanwhile", "MiB", series[group.name, "reader MiB"],
        .atMost(readerMemory, aim: nil)),
      Figure(
        "memory of the hub meanwhile", "MiB", series[group.name, "hub MiB"],
        .atMost(400, aim: nil)),
    ])
  }

  private static func read(_ route: some Route, _ size: Int, _ seed: UInt64) throws
    -> [String: Double]
  {
    let files = (0..<4).map { (name: "four-\(seed)-\($0)", seed: seed * 4 + $0) }
    defer { for file in files { unlink("\(route.source)/\(file.name)") } }
    for file in files {
      let path = "\(route.source)/\(file.name)"
      try Content.write(path, size: size, seed: file.seed)
      try Files.forget(path)
    }
    try route.settle()
    try Memory.touch(for: 4 * size)
    let seconds = try Readers.timeToRead(
      files.map { ("\(route.target)/\($0.name)", $0.seed) }, size: size)
    return ["MB/s": Double(4 * size) / 1e6 / seconds]
  }
}
