import Control
import Glibc
import System
import Testing

/// How long the torture is to last; nil: there is none.
private let tortureMinutes = Environment.get("FSHAREFS_TORTURE_MINUTES").flatMap { Int($0) }

extension Adversity {
  /// Real processes and mounts while processes are killed and stopped, lines cut, disks filled and
  /// clocks moved: what a program reads is always what somebody wrote there, and whatever it was
  /// told that the group has, the group has once it is quiet. Only `make torture MINUTES=n` does
  /// this.
  @Suite(.enabled(if: tortureMinutes != nil, "FSHAREFS_TORTURE_MINUTES is not set"))
  struct Torture {
    /// S5, S9, S24, S37, S38, S39. FSHAREFS_TORTURE_SEED gives the faults of a run that failed once
    /// more.
    @Test func nothingAckedIsLostAndNothingFalseIsRead() throws {
      let seed =
        Environment.get("FSHAREFS_TORTURE_SEED").flatMap { UInt64($0) }
        ?? SecureRandom.uint64() % 1_000_000
      let time = Duration.seconds((tortureMinutes ?? 1) * 60)
      try withFixture(within: time + .seconds(300)) { fixture in
        let run = try TortureRun(fixture, seed: seed)
        do {
          try run.run(for: time)
        } catch {
          throw NeverHappened(description: "seed \(seed): \(error)\n\(run.lastSteps)")
        }
        let line = "torture of \(time) with seed \(seed): \(run.summary)\n"
        try File.writeAll(Array(line.utf8), to: STDOUT_FILENO, "stdout")
      }
    }
  }
}

extension Adversity {
  @Suite(.enabled(if: geteuid() == 0, "only root can mount a small disk"))
  struct FullDisks {
    /// S95: the disks of own files and of state folders, one after the other and all at once,
    /// while all members write and read: behind it all goes on, and nothing that was acked is lost.
    @Test func whatWasAckedIsThereBehindFullDisks() throws {
      try withFixture { fixture in
        try TortureRun(fixture, seed: 7).runOnFullDisks()
      }
    }
  }
}

/// Rounds of trouble, each followed by quiet in which everything is compared.
final class TortureRun {
  /// How long a round of trouble lasts.
  private static let round: Duration = .seconds(6)
  /// How long a group may take to agree again: back-off, grace and retries are seconds.
  private static let healing: Duration = .seconds(60)

  private let faults: TortureFaults
  private let model = TortureModel()
  private let seed: UInt64
  private var rounds = 0

  init(_ fixture: Fixture, seed: UInt64) throws {
    self.seed = seed
    faults = try TortureFaults(fixture, seed: seed)
    for member in faults.members {
      try TortureShare(mount: member.mount).makeFolder(member.name)
    }
  }

  /// What was done last.
  var lastSteps: String { faults.trace.suffix(20).joined(separator: "; ") }

  /// How much was done.
  var summary: String {
    "\(rounds) rounds, \((faults.trace.count - faults.clockJumps) / 2) faults, "
      + "\(faults.clockJumps) jumps of clocks, \(model.summary)"
  }

  func run(for time: Duration) throws {
    let end = MonotonicClock.now + time
    repeat {
      rounds += 1
      let programs = try TorturePrograms(faults.members, model, seed: seed, round: rounds)
      do { try faults.rage(for: Self.round) } catch {
        try? faults.mendAll()
        _ = programs.end()
        throw error
      }
      do { try faults.mendAll() } catch {
        _ = programs.end()
        throw error
      }
      if let fault = programs.end().first { throw NeverHappened(description: fault) }
      try settle()
    } while MonotonicClock.now < end
  }

  /// One round, with nothing worse than full disks.
  func runOnFullDisks() throws {
    rounds += 1
    let programs = try TorturePrograms(faults.members, model, seed: seed, round: rounds)
    let (files, states) = ("bert's files", ["the master's state", "bert's state"])
    for some in [[files], states, states + [files]] {
      try faults.fill(some, for: .milliseconds(1_200))
    }
    if let fault = programs.end().first { throw NeverHappened(description: fault) }
    try settle()
  }

  /// Waits until all is well again, and compares everything that everybody has.
  private func settle() throws {
    try faults.checkAlive()
    for member in faults.members {
      try eventually("\(member.name) is live again", within: Self.healing) {
        try faults.checkAlive()
        let status = try member.status()
        return status.state == .live && status.hubConnected && status.pendingChanges == 0
          && MountPoint.isLive(member.mount)
      }
    }
    var agreed: [String: TortureModel.Version] = [:]
    try eventually("all have the same, and what was acked", within: Self.healing) {
      let all = try faults.members.map { try everything(at: $0) }
      for (member, seen) in zip(faults.members, all) {
        if let fault = model.fault(of: seen) {
          throw NeverHappened(description: "at \(member.name): \(fault)")
        }
        if seen != all[0] {
          throw NeverHappened(description: "\(member.name) and the master see different things")
        }
      }
      agreed = all[0]
      return true
    }
    model.settle(agreed)
  }

  /// Each file that a member sees, read whole, with its version.
  private func everything(at member: Daemon) throws -> [String: TortureModel.Version] {
    let share = try TortureShare(mount: member.mount)
    var seen: [String: TortureModel.Version] = [:]
    for folder in faults.members.map(\.name) {
      for name in try share.names(in: folder) {
        let path = "\(folder)/\(name)"
        let bytes = try share.read(path)
        guard let version = model.version(of: bytes, at: path, seed: seed) else {
          throw NeverHappened(
            description: "at \(member.name): \(path) has \(bytes.count) bytes of no version")
        }
        seen[path] = version
      }
    }
    return seen
  }
}
