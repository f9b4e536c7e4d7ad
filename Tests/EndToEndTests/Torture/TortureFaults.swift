import CLinux
import Glibc
import System

/// What goes wrong, and how it is mended. Used by one thread.
final class TortureFaults {
  /// A fault that is there now, and when it is mended.
  private struct Fault {
    let what: String
    let until: Duration
    let mend: () throws -> Void
  }

  let hub: HubProcess
  /// The master first.
  let members: [Daemon]
  private let lines: [CutOff]
  /// The hub's last.
  private let clocks: [MovableClock]
  /// Small disks, where this user may have some: the master's and the last member's state folders,
  /// and the last member's own folder.
  private let disks: [(what: String, disk: SmallDisk)]
  private var random: TortureRandom
  private var faults: [Fault] = []
  /// What was done, for the report of a failure.
  private(set) var trace: [String] = []
  private(set) var clockJumps = 0

  /// A hub, a master and two members, each with a clock and a line of its own.
  init(_ fixture: Fixture, seed: UInt64) throws {
    random = TortureRandom(seed: seed)
    let clocks = try (0..<4).map { _ in try MovableClock(fixture) }
    self.clocks = clocks
    hub = try fixture.hub(clock: clocks[3])
    let hub = hub
    lines = try (0..<3).map { _ in try CutOff(fixture, to: hub.address) }
    let options = ["-o", "ack_timeout=5,timeout=5"]
    let small =
      geteuid() == 0 ? try [32, 32, 48].map { try SmallDisk(fixture, pages: $0 << 8) } : []
    disks = Array(zip(["the master's state", "bert's state", "bert's files"], small))
    let master = try fixture.master(
      hub, options, at: lines[0].address, state: small.first.map { $0.path + "/state" },
      clock: clocks[0])
    members = [
      master,
      try fixture.member(
        "anna", of: lines[1].address, approvedBy: master, options, clock: clocks[1]),
      try fixture.member(
        "bert", of: lines[2].address, approvedBy: master, options,
        own: small.last.map { $0.path + "/own" },
        state: small.isEmpty ? nil : small[1].path + "/state", clock: clocks[2]),
    ]
  }

  /// Lets things go wrong for a while; some of it is mended meanwhile.
  func rage(for time: Duration) throws {
    let end = MonotonicClock.now + time
    while MonotonicClock.now < end {
      try mendWhatIsDue()
      try happen()
      let rest = end - MonotonicClock.now
      let pause = Duration.milliseconds(Int64(200 + random.below(1_000)))
      _ = poll(nil, 0, Int32(max(.zero, min(rest, pause)) / .milliseconds(1)))
    }
  }

  /// Fills all disks of these names for a while.
  func fill(_ wanted: [String], for time: Duration) throws {
    let some = disks.filter { wanted.contains($0.what) }
    for (what, disk) in some {
      trace.append("fill \(what)")
      try disk.fill()
    }
    _ = poll(nil, 0, Int32(time / .milliseconds(1)))
    for (_, disk) in some { disk.free() }
  }

  /// Mends all that is wrong. Whoever was told to end starts again.
  func mendAll() throws {
    var failure: (any Error)?
    // Whatever one of them comes to: programs may wait for another.
    for fault in faults { do { try mend(fault) } catch { failure = failure ?? error } }
    faults = []
    if let failure { throw failure }
  }

  /// Throws where a process has ended by itself.
  func checkAlive() throws {
    let processes = [("the hub", hub.process)] + members.map { ($0.name, $0.process) }
    for (name, process) in processes {
      if let ending = process.ended {
        throw NeverHappened(description: "\(name) ended by itself: \(ending)")
      }
    }
  }

  private func happen() throws {
    let index = random.below(members.count)
    let member = members[index]
    let long = Duration.milliseconds(Int64(300 + random.below(3_000)))
    switch random.below(9) {
    case 0, 1:
      try add("kill \(member.name)", long) {
        try member.crash()
      } mend: { [self] in
        try restart(index)
      }
    case 2:
      try add("kill the hub", long) { [hub] in
        try hub.crash()
      } mend: { [self] in
        letAllGoOn()
        try hub.restart()
      }
    case 3:
      try add("stop \(member.name)", long) {
        member.process.kill(SIGSTOP)
      } mend: {
        member.process.kill(SIGCONT)
      }
    case 4:
      try add("stop the hub", long) { [hub] in
        hub.process.kill(SIGSTOP)
      } mend: { [hub] in
        hub.process.kill(SIGCONT)
      }
    case 5:
      let line = lines[index]
      try add("cut \(member.name)", long) {
        line.cut()
      } mend: {
        line.heal()
      }
    case 6, 7: try moveClock()
    default:
      guard !disks.isEmpty else { return }
      let (what, disk) = disks[random.below(disks.count)]
      try add("fill \(what)", long) {
        try disk.fill()
      } mend: {
        disk.free()
      }
    }
  }

  /// A clock jumps, and stays there until it jumps again: quiet comes with wrong clocks too.
  private func moveClock() throws {
    let (index, times) = (random.below(clocks.count), MovableClock.Time.allCases)
    let time = times[random.below(times.count)]
    trace.append("clock of \(index < members.count ? members[index].name : "the hub"): \(time)")
    clockJumps += 1
    try clocks[index].set(time)
  }

  /// One thing of a kind, and one for a process, is wrong at a time.
  private func add(
    _ what: String, _ time: Duration, _ body: () throws -> Void, mend: @escaping () throws -> Void
  ) throws {
    let subject = what.split(separator: " ").dropFirst()
    guard !faults.contains(where: { $0.what.split(separator: " ").dropFirst() == subject }) else {
      return
    }
    trace.append(what)
    faults.append(Fault(what: what, until: MonotonicClock.now + time, mend: mend))
    try body()
  }

  private func mendWhatIsDue() throws {
    let now = MonotonicClock.now
    for fault in faults where fault.until <= now { try mend(fault) }
    faults.removeAll { $0.until <= now }
  }

  private func mend(_ fault: Fault) throws {
    trace.append("no longer: \(fault.what)")
    try fault.mend()
  }

  /// Ends all stops. A child closes what the writers and readers of this process have open in
  /// mounts, and waits for their answers: from a mount that is stopped none would come before this
  /// process, which waits for its child, lets that go on.
  private func letAllGoOn() {
    for process in members.map(\.process) + [hub.process] { process.kill(SIGCONT) }
  }

  private func restart(_ index: Int) throws {
    letAllGoOn()
    // A start that finds no room ends with a line that says so.
    for (_, disk) in disks { disk.free() }
    MountPoint.detach(members[index].mount)
    let role = index == 0 ? ["--master"] : []
    try members[index].start(
      role + ["--nowait", "-o", "ack_timeout=5,timeout=5", lines[index].address])
  }
}
