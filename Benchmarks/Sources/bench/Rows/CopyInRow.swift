/// `cp -r` of a folder of small files into the mount of a member that is not the master: each close
/// waits for the group's answer, or with `-o async_close` does not.
enum CopyInRow: Row {
  static let name = "copy-in"
  static let title = "copy in 2,000 files of 4 KiB"
  private static let async = "fsharefs -o async_close"

  static func measure(on stage: Stage) throws -> Outcome {
    let group = try Group(stage)
    let ssh = try SSH(stage)
    let asyncMember = try group.member("async", options: ["-o", "async_close"])
    let local = try stage.scratch.newFolder("local") + "/small"
    try SmallFiles.make(local, seed: 1)
    func copy(to mount: String, _ seed: UInt64) throws -> [String: Double] {
      ["files/s": try SmallFiles.copyingSpeed(local, to: "\(mount)/small-\(seed)", stage)]
    }
    let series = try stage.rounds([
      Stage.Contender(group.name) { seed in
        let (measured, used) = try group.accounting { try copy(to: group.target, seed) }
        try group.settle(from: group.reader, to: group.owner)
        return measured.merging(SmallFiles.processorTime(used)) { one, _ in one }
      },
      Stage.Contender(async) { seed in
        let measured = try copy(to: asyncMember.mount, seed)
        // The rest of the work is done before somebody else is measured.
        try group.settle(from: asyncMember, to: group.owner)
        return measured
      },
      Stage.Contender(ssh.name) { seed in
        let (measured, used) = try ssh.accounting { try copy(to: ssh.target, seed) }
        return measured.merging(SmallFiles.processorTime(used)) { one, _ in one }
      },
    ])
    let peer = (ssh.name, series[ssh.name, "files/s"])
    let figures = [
      Figure(
        "\(title), each close acked", "files/s", series[group.name, "files/s"], against: peer,
        .atLeast(1, aim: 2)),
      Figure(
        "\(title), async_close", "files/s", series[async, "files/s"], against: peer,
        .atLeast(2, aim: 5)),
    ]
    return Outcome(
      figures: figures, notes: [SmallFiles.note(group, series), SmallFiles.note(ssh, series)])
  }
}
