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
      Stage.Contender(group.name) { seed in
        try measure(group.source, size, seed, by: group.owner.pid)
      },
      Stage.Contender(Bindfs.name) { seed in
        try measure(bindfs.mount, size, seed, by: bindfs.pid)
      },
      Stage.Contender(raw) { seed in try measure(folder, size, seed) },
    ])
    let figures = ["read", "write"].flatMap { what in
      [(Bindfs.name, Bar.atLeast(1, aim: nil)), (raw, Bar.atLeast(nil, aim: 1))].map { peer, bar in
        Figure(
          "\(title), \(what)", "MB/s", series[group.name, what],
          against: (peer, series[peer, what]), bar)
      }
    }
    let notes = [group.name, Bindfs.name].map { name in
      let parts = ["read", "write"].map { "\($0) \(rounded(median(series[name, "s/GB \($0)"])))" }
      return "processor s/GB of the mount's process, \(name): \(parts.joined(separator: ", "))"
    }
    return Outcome(figures: figures, notes: notes)
  }

  /// Writes and reads a file. `daemon`: whose processor time is looked at; nil where nobody is
  /// between.
  private static func measure(
    _ folder: String, _ size: Int, _ seed: UInt64, by daemon: pid_t? = nil
  ) throws -> [String: Double] {
    let path = "\(folder)/own-\(seed)"
    defer { unlink(path) }
    var measured: [String: Double] = [:]
    func time(_ what: String, _ body: () throws -> Void) throws {
      let used = daemon.map { Usage.processor($0) } ?? 0
      let start = Clock.now
      try body()
      measured[what] = Double(size) / 1e6 / (Clock.now - start)
      guard let daemon else { return }
      measured["s/GB \(what)"] = (Usage.processor(daemon) - used) / (Double(size) / 1e9)
    }
    // In the folder, and in the kernel's memory of the mount.
    try Memory.touch(for: 2 * size)
    try time("write") { try Content.write(path, size: size, seed: seed) }
    // What was written is not to be read from the kernel's memory of the mount.
    try Files.forget(path)
    try time("read") { _ = try Content.timeToRead(path, size: size, seed: seed) }
    return measured
  }
}
