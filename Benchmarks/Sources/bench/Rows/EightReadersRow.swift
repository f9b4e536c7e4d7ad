import Glibc

/// Eight members read one file at the same time: how much of it its owner sends.
enum EightReadersRow: Row {
  static let name = "eight"
  static let title = "8 readers of one file: owner sends"

  static func measure(on stage: Stage) throws -> Outcome {
    let size = stage.options.isFull ? 1 << 30 : 256 << 20
    let counter = try Proxy(rate: nil, roundTrip: 0, stage.scratch)
    let group = try Group(stage, proxies: Group.Proxies(owner: counter))
    let members = [group.reader] + (try (2...8).map { try group.member("reader-\($0)") })
    let series = try stage.rounds([
      Stage.Contender(group.name) { seed in
        let file = "eight-\(seed)"
        try Content.write("\(group.source)/\(file)", size: size, seed: seed)
        defer { unlink("\(group.source)/\(file)") }
        for member in members { try group.settle(from: group.owner, to: member) }
        try Memory.touch(for: 8 * size)
        let before = counter.carriedIn
        let seconds = try Readers.timeToRead(
          members.map { ("\($0.mount)/\(file)", seed) }, size: size)
        return [
          "times its size": Double(counter.carriedIn - before) / Double(size),
          "MB/s": Double(8 * size) / 1e6 / seconds,
        ]
      }
    ])
    let speed = rounded(median(series[group.name, "MB/s"]))
    return Outcome(
      figures: [
        Figure(
          title, "× its size", series[group.name, "times its size"], .atMost(1.05, aim: 1))
      ],
      notes: ["the 8 readers together, over a counting proxy: \(speed) MB/s"])
  }
}
