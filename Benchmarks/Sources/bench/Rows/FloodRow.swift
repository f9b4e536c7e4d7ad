import Glibc

/// What others feel while one approved member does one thing as fast as it can, beside the same
/// without it.
enum FloodRow: Row {
  static let name = "flood"
  static let title = "while one member floods"
  private static let floods = [
    "changes", "depths", "garbage", "reports", "questions", "names", "requests", "reading",
    "strangers",
  ]
  private static let quiet = "quiet"
  private static let closes = 400
  private static let listed = 8_000
  private static let size = 128 << 20

  static func measure(on stage: Stage) throws -> Outcome {
    // What the entries cost that the limits admit is no growth: the limits are low here.
    let group = try Group(
      stage, ownerOptions: ["--member-entries", "10000", "--member-paths", "1"]
    ) { own in
      try Files.makeFolder("\(own)/many")
      for index in 0..<listed { try "\(index)".write(to: "\(own)/many/file-\(index)") }
      try Content.write("\(own)/wanted", size: size, seed: 1)
    }
    let contenders =
      [Stage.Contender(quiet) { try measured(group, $0) }]
      + floods.map { flood in
        Stage.Contender(flood) { seed in
          let liar = try Liar(flood, of: group, stage)
          defer { liar.child.end() }
          var all = try measured(group, seed)
          all["disapproved in s"] = try liar.timeToDisapprove()
          return all
        }
      }
    // What a process takes once, and keeps, is no growth by a flood.
    for seed in 1_000...1_001 as ClosedRange<UInt64> { _ = try measured(group, seed) }
    let series = try stage.rounds(contenders)
    let closed = Files.text(of: group.owner.place.log).split(separator: "\n")
      .count { $0.contains("not connected:") }
    return Outcome(
      figures: figures(series) + [
        Figure("times the master lost its connection", "", [Double(closed)], .atMost(0, aim: 0))
      ],
      notes: ([quiet] + floods).map { note($0, series) })
  }

  /// Of the flood that is worst in most rounds.
  private static func figures(_ series: Series) -> [Figure] {
    func worst(_ what: String, _ isWorse: (Double, Double) -> Bool) -> [Double] {
      floods.map { series[$0, what] }.reduce(series[floods[0], what]) {
        isWorse(median($1), median($0)) ? $1 : $0
      }
    }
    let grown = roles.map { role in
      (floods.flatMap { series[$0, role] }.max() ?? .nan) - (series[quiet, role].first ?? .nan)
    }
    return [
      Figure(
        "close, 99th percentile of \(closes), worst flood", "ms", worst("close p99 ms", >),
        .atMost(100, aim: 20)),
      Figure(
        "read of \(size >> 20) MiB, worst flood", "MB/s", worst("read MB/s", <),
        against: ("no flood", series[quiet, "read MB/s"]), .atLeast(0.5, aim: 0.8)),
      Figure(
        "ls -lR of \(listed) files, worst flood", "s", worst("ls s", >),
        against: ("no flood", series[quiet, "ls s"]), .atMost(1.5, aim: 1.1)),
      Figure(
        "memory more than without, all floods, worst process", "MiB", [grown.max() ?? .nan],
        .atMost(64, aim: 32)),
    ]
  }

  private static let roles = ["MiB owner", "MiB hub", "MiB reader"]

  private static func note(_ flood: String, _ series: Series) -> String {
    let what =
      ["close p99 ms", "read MB/s", "ls s", "disapproved in s"] + roles
    let parts = what.compactMap { what -> String? in
      let values = series[flood, what]
      return values.isEmpty ? nil : "\(what) \(rounded(median(values)))"
    }
    return "\(flood): " + parts.joined(separator: ", ")
  }

  /// What an honest member feels now.
  private static func measured(_ group: Group, _ seed: UInt64) throws -> [String: Double] {
    for process in group.processes { try Usage.forgetPeak(process.pid) }
    var all: [String: Double] = [:]

    let file = "read-\(seed)"
    try Content.write("\(group.source)/\(file)", size: size, seed: seed)
    defer { unlink("\(group.source)/\(file)") }
    try group.settle()
    try Memory.touch(for: size)
    let seconds = try Content.timeToRead("\(group.target)/\(file)", size: size, seed: seed)
    all["read MB/s"] = Double(size) / 1e6 / seconds

    let folder = "\(group.target)/closes-\(seed)"
    try Files.makeFolder(folder)
    defer { try? SmallFiles.remove(folder) }
    var times: [Double] = []
    for index in 0..<closes {
      let start = Clock.now
      try Content.write("\(folder)/\(index)", size: 4_096, seed: seed)
      times.append(Clock.now - start)
    }
    all["close p99 ms"] = times.sorted()[closes * 99 / 100] * 1e3

    // The median: a single one is too short to tell from what else the machine does.
    all["ls s"] = median(
      try (0..<5).map { _ in
        try Child.timed(["ls", "-lR", "\(group.target)/many"], log: "/dev/null")
      })
    for process in group.processes { all["MiB \(process.role)"] = try Usage.peak(process.pid) }
    return all
  }

  /// The member that floods: a process of its own, so that its memory is not ours.
  private struct Liar {
    let child: Child
    private let number: String
    private let group: Group

    /// Has it approved, and returns once it floods.
    init(_ flood: String, of group: Group, _ stage: Stage) throws {
      self.group = group
      let log = stage.scratch.path("liar-\(flood)-\(Int(Clock.now * 1e6))")
      let child = try Child(
        [
          stage.options.programs + "/fshare-liar", "127.0.0.1:\(group.port)", flood, "--target",
          "wanted",
        ], log: log)
      stage.scratch.atEnd { child.end() }
      self.child = child
      func said(_ word: String) -> String? {
        Files.text(of: log).split(separator: "\n").first { $0.hasPrefix(word) }
          .map { $0.dropFirst(word.count).trimmed }
      }
      func check() throws {
        if child.ended != nil { throw Failure("fshare-liar ended: \(Files.text(of: log))") }
      }
      var number = ""
      try eventually("the liar has a number") {
        try check()
        number = said("number") ?? ""
        return !number.isEmpty
      }
      self.number = number
      try eventually("the liar is approved") { group.owner.control("approve", number, "--yes") }
      try eventually("it floods") {
        try check()
        return said("flooding") != nil
      }
    }

    /// Takes it out while it floods. Returns: seconds.
    func timeToDisapprove() throws -> Double {
      let start = Clock.now
      guard group.owner.control("disapprove", number) else {
        throw Failure("member \(number) is not put out while it floods")
      }
      return Clock.now - start
    }
  }
}

extension Substring {
  fileprivate var trimmed: String { String(drop { $0 == " " }) }
}
