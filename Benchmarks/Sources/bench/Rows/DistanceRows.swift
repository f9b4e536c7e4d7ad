import Glibc

/// A reader that is far from the hub: 1 Gbit/s, with a delay.
enum Distance {
  /// Bytes in a second.
  static let rate = 125e6
  private static let plain = "plain TCP stream"

  /// A large file, compared with a plain stream through the same network.
  static func stream(_ title: String, roundTrip: Double, _ bar: Bar, on stage: Stage) throws
    -> Outcome
  {
    // Long enough that the start does not decide.
    let size = stage.options.isFull ? 1 << 30 : 512 << 20
    let network = try Proxy(rate: rate, roundTrip: roundTrip, stage.scratch)
    let group = try Group(stage, proxies: Group.Proxies(reader: network))
    let series = try stage.rounds([
      Stage.Contender(group.name) { seed in
        let file = "far-\(seed)"
        try Content.write("\(group.source)/\(file)", size: size, seed: seed)
        defer { unlink("\(group.source)/\(file)") }
        try group.settle()
        try Memory.touch(for: size)
        let seconds = try Content.timeToRead("\(group.target)/\(file)", size: size, seed: seed)
        return ["MB/s": Double(size) / 1e6 / seconds]
      },
      Stage.Contender(plain) { seed in
        let path = stage.scratch.path("streamed")
        try Content.write(path, size: size, seed: seed)
        defer { unlink(path) }
        return ["MB/s": Double(size) / 1e6 / (try Relay.timeToSend(path, size: size, by: network))]
      },
    ])
    return Outcome(figures: [
      Figure(
        title, "MB/s", series[group.name, "MB/s"], against: (plain, series[plain, "MB/s"]), bar)
    ])
  }
}

/// 20 ms there and back.
enum NearRow: Row {
  static let name = "rtt20"
  static let title = "1 Gbit/s, RTT 20 ms"

  static func measure(on stage: Stage) throws -> Outcome {
    try Distance.stream(title, roundTrip: 0.02, .atLeast(0.97, aim: 0.99), on: stage)
  }
}

/// 100 ms there and back.
enum FarRow: Row {
  static let name = "rtt100"
  static let title = "1 Gbit/s, RTT 100 ms"

  static func measure(on stage: Stage) throws -> Outcome {
    try Distance.stream(title, roundTrip: 0.1, .atLeast(0.93, aim: 0.97), on: stage)
  }
}

/// How many round trips a program waits for a small file that the list knows.
enum FarFirstByteRow: Row {
  static let name = "rtt-first-byte"
  static let title = "first byte at RTT 100 ms"
  private static let roundTrip = 0.1

  static func measure(on stage: Stage) throws -> Outcome {
    let network = try Proxy(rate: Distance.rate, roundTrip: roundTrip, stage.scratch)
    let group = try Group(stage, proxies: Group.Proxies(reader: network))
    let series = try stage.rounds([
      Stage.Contender(group.name) { seed in
        ["round trips": try FirstByteRow.time(group, 10, seed) / roundTrip]
      }
    ])
    return Outcome(figures: [
      Figure(title, "round trips", series[group.name, "round trips"], .atMost(1.2, aim: 1.05))
    ])
  }
}
