import Glibc

/// `cp` of a large file into the mount of a member that is not the master.
enum CopyInBigRow: Row {
  static let name = "copy-in-big"
  static let title = "copy in 1 GiB"
  private static let size = 1 << 30

  static func measure(on stage: Stage) throws -> Outcome {
    let group = try Group(stage)
    let ssh = try SSH(stage)
    let local = stage.scratch.path("local")
    try Content.write(local, size: size, seed: 1)
    func copy(to mount: String, _ seed: UInt64) throws -> [String: Double] {
      let path = "\(mount)/big-\(seed)"
      defer { unlink(path) }
      // In the folder where it ends, and in the kernel's memory of the mount.
      try Memory.touch(for: 2 * size)
      let seconds = try Child.timed(["cp", local, path], log: stage.scratch.path("cp-log"))
      guard Files.size(of: path) == size else { throw Failure("\(path) is incomplete") }
      return ["MB/s": Double(size) / 1e6 / seconds]
    }
    let series = try stage.rounds([
      Stage.Contender(group.name) { seed in try copy(to: group.target, seed) },
      Stage.Contender(ssh.name) { seed in try copy(to: ssh.target, seed) },
    ])
    return Outcome(figures: [
      Figure(
        title, "MB/s", series[group.name, "MB/s"],
        against: (ssh.name, series[ssh.name, "MB/s"]), .atLeast(2, aim: 4))
    ])
  }
}
