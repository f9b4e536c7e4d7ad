import Glibc

/// A long list: what it takes in memory, how long until it is there, and what a change costs in it.
/// Of one round, and only where it is asked for.
enum ScaleRow: Row {
  static let name = "scale"
  static let title = "a list of 250,000 files, with --full of 1,000,000"
  static let isAskedFor = true
  private static let folders = 1_000
  /// Of the directory that is renamed.
  private static let filesRenamed = 1_000
  private static let few = 100

  static func measure(on stage: Stage) throws -> Outcome {
    let filesInEach = stage.options.isFull ? 1_000 : 250
    let small = try Scale(stage, folders: 1, files: few)
    let alone = try (host: Usage.resident(small.host.pid), member: Usage.resident(small.member.pid))
    let singleSmall = try small.timeToCopyIn()
    small.end()

    let large = try Scale(stage, folders: folders, files: filesInEach)
    let (host, member) = (
      try Usage.resident(large.host.pid) - alone.host,
      try Usage.resident(large.member.pid) - alone.member
    )
    let single = try large.timeToCopyIn()
    let renamed = try (0..<5).map { try large.timeToRename($0) }
    let memberBack = try large.timeToBeBack()
    let found = try Child.timed(["find", large.member.mount, "-size", "+1k"], log: "/dev/null")
    let raw = try Child.timed(["find", large.host.place.own, "-size", "+1k"], log: "/dev/null")
    let hostBack = try large.timeForHostToBeBack()
    let bytes = 1_048_576 / Double(folders * filesInEach)
    return Outcome(figures: [
      Figure("memory of a member for each entry", "B", [member * bytes], .atMost(300, aim: 200)),
      Figure("memory of a host for each entry", "B", [host * bytes], .atMost(450, aim: 300)),
      Figure("the host is mounted after", "s", [large.mounted], .atMost(nil, aim: 1)),
      Figure("its own folder is announced after", "s", [large.announced], .atMost(nil, aim: 10)),
      Figure("first list, from approval to complete", "s", [large.listed], .atMost(5, aim: 3)),
      Figure("live again, member", "s", [memberBack], .atMost(1, aim: 0.5)),
      Figure("live again, host", "s", [hostBack], .atMost(5, aim: 2)),
      Figure(
        "find -size +1k, first time", "s", [found], against: ("the folder itself", [raw]),
        .atMost(3, aim: 2)),
      Figure(
        "mv of a directory of \(filesRenamed) files, until another shows it", "ms",
        [median(renamed)], .atMost(20, aim: 5)),
      Figure(
        "one file copied in, acked", "ms", single, against: ("list of \(few)", singleSmall),
        .atMost(1.1, aim: 1)),
    ])
  }

  /// A host with so many files, and a member that has seen them all listed, and looked at none.
  private final class Scale {
    let host: Host
    let member: Member
    let mounted: Double
    let announced: Double
    let listed: Double
    private let stage: Stage
    private let count: Int

    init(_ stage: Stage, folders: Int, files: Int) throws {
      self.stage = stage
      count = folders * (files + 1)
      var start = 0.0
      host = try Host(stage) { own in
        for folder in 0..<folders {
          let path = "\(own)/folder \(1_000 + folder)"
          try Files.makeFolder(path)
          for file in 0..<files { try "".write(to: "\(path)/a file's \(1_000_000 + file)") }
        }
        start = Clock.now
      }
      mounted = Clock.now - start
      try Scale.wait("all is announced", host.place.state, stage, entries: count)
      announced = Clock.now - start
      let (host, member) = (
        host,
        try Member(
          Member.Place("member", stage), hub: host.port, options: ["--nowait"], stage)
      )
      self.member = member
      var approved = 0.0
      try eventually("the member is approved") {
        try member.check()
        approved = Clock.now
        return host.control("approve", "member", "--yes") != nil
      }
      try Scale.wait("the list is complete", member.place.state, stage, entries: count)
      try member.waitUntilLive()
      listed = Clock.now - approved
    }

    func end() {
      member.end()
      host.end()
    }

    /// Milliseconds of each of some hundred copies.
    func timeToCopyIn() throws -> [Double] {
      [
        median(
          try (0..<300).map { number in
            let start = Clock.now
            try Content.write("\(member.mount)/new \(number)", size: 4_096, seed: 1)
            return (Clock.now - start) * 1e3
          })
      ]
    }

    /// Milliseconds until the host shows it; the member has the directory.
    func timeToRename(_ round: Int) throws -> Double {
      let name = "\(member.mount)/own \(round)"
      try Files.makeFolder(name)
      for file in 0..<ScaleRow.filesRenamed { try "".write(to: "\(name)/\(file)") }
      let start = Clock.now
      try checked("rename \(name)") { rename(name, "\(name) renamed") }
      while Files.size(of: "\(host.mount)/own \(round) renamed/999") == nil {
        try Interruption.check()
        guard Clock.now < start + 60 else { throw Failure("\(name) is not renamed") }
      }
      return (Clock.now - start) * 1e3
    }

    /// Seconds from the member's start until it has the whole list.
    func timeToBeBack() throws -> Double {
      try member.restart()
      let start = Clock.now
      try Scale.wait("the member is back", member.place.state, stage, entries: count)
      try member.waitUntilLive()
      return Clock.now - start
    }

    /// The same of the host: until the member, which stayed, is live with it again.
    func timeForHostToBeBack() throws -> Double {
      let start = Clock.now
      try host.restart()
      try Scale.wait("the host is back", host.place.state, stage, entries: count)
      return Clock.now - start
    }

    private static func wait(
      _ what: String, _ state: String, _ stage: Stage, entries: Int
    ) throws {
      try eventually(what, seconds: 180) {
        guard let report = Member.control(["status", "--json"], state: state, stage) else {
          return false
        }
        let text = report.filter { !$0.isWhitespace }
        if text.contains("\"state\":\"live\""), number("entries", in: text) >= entries {
          return true
        }
        // Whoever asks all the time slows what he waits for.
        _ = poll(nil, 0, 100)
        return false
      }
    }

    private static func number(_ key: String, in json: String) -> Int {
      json.split(separator: "\"\(key)\":").dropFirst().first
        .flatMap { Int($0.prefix { $0.isNumber }) } ?? -1
    }
  }
}
