/// `cp -r` of a folder of small files that nobody has read, out of the mount.
enum CopyOutRow: Row {
  static let name = "copy-out"
  static let title = "copy out 2,000 files of 4 KiB"

  static func measure(on stage: Stage) throws -> Outcome {
    let group = try Group(stage)
    let ssh = try SSH(stage)
    let series = try stage.rounds([
      Stage.Contender(group.name) { seed in try copy(group, seed, stage) },
      Stage.Contender(ssh.name) { seed in try copy(ssh, seed, stage) },
    ])
    return Outcome(
      figures: [
        Figure(
          title, "files/s", series[group.name, "files/s"],
          against: (ssh.name, series[ssh.name, "files/s"]), .atLeast(2, aim: 4))
      ], notes: [SmallFiles.note(group, series), SmallFiles.note(ssh, series)])
  }

  private static func copy(_ route: some Route, _ seed: UInt64, _ stage: Stage) throws
    -> [String: Double]
  {
    let folder = "small-\(seed)"
    try SmallFiles.make("\(route.source)/\(folder)", seed: seed)
    try route.settle()
    let copy = stage.scratch.path("copied-out")
    let (speed, used) = try route.accounting {
      try SmallFiles.copyingSpeed("\(route.target)/\(folder)", to: copy, stage)
    }
    try SmallFiles.remove(copy)
    return ["files/s": speed].merging(SmallFiles.processorTime(used)) { one, _ in one }
  }
}
