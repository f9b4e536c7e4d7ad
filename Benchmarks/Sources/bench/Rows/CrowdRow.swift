import Glibc

/// Many idle members of one hub: what they cost it, how soon they all hear of a change, and how
/// soon they are all back after it was killed. Of one round, and only where it is asked for.
enum CrowdRow: Row {
  static let name = "crowd"
  static let title = "1,000 idle members of one hub, with --full 10,000"
  static let isAskedFor = true
  /// What idle members do by themselves (pings) has happened a few times by then.
  private static let idleSeconds = 20.0

  static func measure(on stage: Stage) throws -> Outcome {
    let count = stage.options.isFull ? 10_000 : 1_000
    let hub = try Hub(stage)
    let before = try Usage.resident(hub.pid)
    let crowd = try Crowd(count, of: hub, stage)
    let admitted = try crowd.said("admitted")
    let live = try crowd.said("live")
    let idle = Clock.now
    let used = Usage.processor(hub.pid)
    try eventually("members are idle", seconds: 60) { Clock.now > idle + idleSeconds }
    let busy = (Usage.processor(hub.pid) - used) / (Clock.now - idle)
    let memory = try Usage.resident(hub.pid)

    crowd.goOn()
    _ = try crowd.said("told")
    let heard = crowd.all("heard")
    let start = Clock.now
    try hub.restart()
    let back = try crowd.said("back")
    let seconds = Clock.now - start
    let processor = Usage.processor(hub.pid)

    return Outcome(
      figures: [
        Figure("memory of the hub, \(count) idle members", "MiB", [memory], .atMost(500, aim: 300)),
        Figure(
          "a change, until 99 % of 1000 of \(count) show it", "ms", heard.map { $0[0] },
          .atMost(100, aim: 50)),
        Figure("all \(count) are back after its end", "s", [seconds], .atMost(30, aim: 10)),
        Figure("refused meanwhile, or turned away", "", [back[0] + back[1]], .atMost(0, aim: 0)),
      ],
      notes: [
        "memory of the hub for each member: "
          + "\(rounded((memory - before) * 1_024 / Double(count))) KiB",
        "processor of the hub while they are idle: \(rounded(busy * 100)) %",
        "a change, until 99 % of all \(count) show it: \(rounded(median(heard.map { $0[1] }))) ms, "
          + "until all do: \(rounded(median(heard.map { $0[2] }))) ms",
        "all approved after \(rounded(admitted[0])) s; then all connected at once and live after "
          + "\(rounded(live[0])) s, \(rounded(live[1] + live[2])) times refused or turned away",
        "processor time of the hub until all are back: \(rounded(processor)) s; "
          + "tries that nobody answered: \(rounded(back[2]))",
      ])
  }

  /// `fshare-hub` with its master, processes of their own.
  private final class Hub {
    let master: Member
    let port: UInt16
    private let stage: Stage
    private let state: String
    private let log: String
    private var child: Child

    var pid: pid_t { child.pid }

    init(_ stage: Stage) throws {
      self.stage = stage
      state = try stage.scratch.newFolder("hub-state")
      log = stage.scratch.path("hub-log")
      child = try Child(Hub.words(stage, state, port: 0), log: log)
      port = try Group.portInLog(log, child)
      master = try Member(
        Member.Place("master", stage), hub: port,
        options: ["--master", "--claim-file", "\(state)/claim-code"], stage)
      stage.scratch.atEnd { self.child.end() }
      try master.waitUntilLive()
    }

    /// Kills it, and starts it again at once, at the same port.
    func restart() throws {
      kill(child.pid, SIGKILL)
      try eventually("the hub is gone") { child.ended != nil }
      child = try Child(Hub.words(stage, state, port: port), log: log)
    }

    private static func words(_ stage: Stage, _ state: String, port: UInt16) -> [String] {
      [
        stage.options.programs + "/fshare-hub", "--listen", "127.0.0.1:\(port)", "--state", state,
      ]
    }
  }

  /// The members: a process of their own, so that their memory is not ours.
  private final class Crowd {
    private let child: Child
    private let log: String

    init(_ count: Int, of hub: Hub, _ stage: Stage) throws {
      let log = stage.scratch.path("crowd")
      let child = try Child(
        [
          stage.options.programs + "/fshare-crowd", "\(hub.port)", hub.master.place.state,
          "--members", "\(count)",
        ], log: log)
      stage.scratch.atEnd { child.end() }
      (self.child, self.log) = (child, log)
    }

    /// The numbers behind a word, once it was said.
    func said(_ word: String) throws -> [Double] {
      try eventually("the crowd says '\(word)'", seconds: 900) {
        if child.ended != nil { throw Failure("fshare-crowd ended: \(Files.text(of: log))") }
        return !all(word).isEmpty
      }
      complain("crowd: \(word) \(all(word).last!.map { rounded($0) }.joined(separator: " "))")
      return all(word).last!
    }

    /// The numbers of all lines that begin with a word.
    func all(_ word: String) -> [[Double]] {
      Files.text(of: log).split(separator: "\n").map { $0.split(separator: " ") }
        .filter { $0.first == Substring(word) }
        .map { $0.dropFirst().compactMap { Double($0) } }
    }

    /// Has it do what comes next.
    func goOn() { kill(child.pid, SIGUSR1) }
  }
}
