import Glibc

/// One's own file through the mount, against the same folder without it, and through bindfs.
enum OwnFileRow: Row {
  static let name = "own"
  static let title = "own file"
  private static let raw = "the raw file"

  static func measure(on stage: Stage) throws -> Outcome {
    let size = stage.options.size
    let group = try Group(stage)
    let folder = try stage.scratch.newFolder("raw")
    let bindfs = try Bindfs(folder, stage)
    let series = try stage.rounds([
      Stage.Contender(group.name) { seed in try measure(group.source, size, seed) },
      Stage.Contender(Bindfs.name) { seed in try measure(bindfs.mount, size, seed) },
      Stage.Contender(raw) { seed in try measure(folder, size, seed) },
    ])
    let figures = ["read", "write"].flatMap { what in
      [(Bindfs.name, Bar.atLeast(1, aim: nil)), (raw, Bar.atLeast(nil, aim: 1))].map { peer, bar in
        Figure(
          "\(title), \(what)", "MB/s", series[group.name, what],
          against: (peer, series[peer, what]), bar)
      }
    }
    return Outcome(figures: figures)
  }

  private static func measure(_ folder: String, _ size: Int, _ seed: UInt64) throws
    -> [String: Double]
  {
    let path = "\(folder)/own-\(seed)"
    defer { unlink(path) }
    // In the folder, and in the kernel's memory of the mount.
    try Memory.touch(for: 2 * size)
    let start = Clock.now
    try Content.write(path, size: size, seed: seed)
    let write = Clock.now - start
    // What was written is not to be read from the kernel's memory of the mount.
    try Files.forget(path)
    let read = try Content.timeToRead(path, size: size, seed: seed)
    return ["write": Double(size) / 1e6 / write, "read": Double(size) / 1e6 / read]
  }
}
