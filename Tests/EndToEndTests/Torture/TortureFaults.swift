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
  /// The file system of the last member's own files, where it has a small one of its own.
  private let disk: String?
  private var random: TortureRandom
  private var faults: [Fault] = []
  /// What was done, for the report of a failure.
  private(set) var trace: [String] = []

  /// A hub, a master and two members, each with a line of its own.
  init(_ fixture: Fixture, seed: UInt64) throws {
    random = TortureRandom(seed: seed)
    hub = try fixture.hub()
    let hub = hub
    lines = try (0..<3).map { _ in try CutOff(fixture, to: hub.address) }
    let options = ["-o", "ack_timeout=5,timeout=5"]
    disk = try fixture.smallDisk(mib: 48)
    let master = try fixture.master(hub, options, at: lines[0].address)
    members = [
      master,
      try fixture.member("anna", of: lines[1].address, approvedBy: master, options),
      try fixture.member(
        "bert", of: lines[2].address, approvedBy: master, options, own: disk.map { $0 + "/own" }),
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
    switch random.below(7) {
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
    default:
      guard let disk else { return }
      try add("fill bert's disk", long) {
        Self.fill(disk + "/filler")
      } mend: {
        _ = unlink(disk + "/filler")
      }
    }
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
    MountPoint.detach(members[index].mount)
    let role = index == 0 ? ["--master"] : []
    try members[index].start(
      role + ["--nowait", "-o", "ack_timeout=5,timeout=5", lines[index].address])
  }

  private static func fill(_ path: String) {
    guard let file = try? Files.open(path, O_WRONLY | O_CREAT) else { return }
    let piece = [UInt8](repeating: 0, count: 1 << 16)
    while write(file, piece, piece.count) > 0 {}
    _ = Glibc.close(file)
  }
}

extension Fixture {
  /// A small file system of its own, unmounted at the end; nil where this user may not have one.
  func smallDisk(mib: Int) throws -> String? {
    let path = try newFolder("disk")
    guard Glibc.mount("none", path, "tmpfs", 0, "size=\(mib)m") == 0 else { return nil }
    atEnd { MountPoint.detach(path) }
    return path
  }
}
