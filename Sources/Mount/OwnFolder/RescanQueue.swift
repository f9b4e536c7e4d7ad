import Core
import Glibc
import Logging
import Protocol
import System

/// What of the own folder is to be compared with the namespace, for whoever notices that it may be
/// another: programs that use the mount, the kernel's watches, uploads that find a file changed.
///
/// One worker at a time takes from it (`FolderSync`), on the disk pool.
final class RescanQueue: Sendable {
  private let schedule = Locked(RescanSchedule(), rank: .leaf)
  private let worker = Locked<(@Sendable () -> Void)?>(nil, rank: .leaf)
  private let namespace: Namespace
  private let folder: OwnFolder
  private let disk: DiskWork
  private let budget: LogBudget

  init(_ namespace: Namespace, _ folder: OwnFolder, _ disk: DiskWork, _ budget: LogBudget) {
    self.namespace = namespace
    self.folder = folder
    self.disk = disk
    self.budget = budget
  }

  /// Who works: called on the disk pool where there is something to do and nobody does it.
  func setWorker(_ work: @escaping @Sendable () -> Void) { worker.withLock { $0 = work } }

  /// Runs a worker where there is something to look at and none runs. Any thread.
  func wake() {
    guard let work = worker.withLock({ $0 }) else { return }
    let mayRun = schedule.withLock { schedule -> Bool in
      if schedule.isRunning || schedule.isEmpty { return false }
      schedule.isRunning = true
      return true
    }
    if mayRun { disk.run(work) }
  }

  /// What the worker does next; nil where there is nothing, by which it has ended.
  func nextForWorker() -> RescanSchedule.Work? {
    schedule.withLock { schedule in
      let next = schedule.next(now: MonotonicClock.now)
      schedule.isRunning = next != nil
      return next
    }
  }

  /// What is next, for the scan at the start.
  func next() -> RescanSchedule.Work? { schedule.withLock { $0.next(now: MonotonicClock.now) } }

  /// Brings forward what is due, and what is shared in place and `missing`. Returns: when something
  /// will be, nil where nothing is foreseen.
  func advance(_ times: WatchTimes, missing: [InPlaceShareID]) -> Instant? {
    schedule.withLock { schedule in
      for id in missing { schedule.add(.place(id), isFinished: true) }
      return schedule.wake(now: MonotonicClock.now, times, hasMissing: !missing.isEmpty)
    }
  }

  /// Nothing is looked at any more.
  func stop() { schedule.withLock { $0.isStopping = true } }
}

// MARK: - What is to be looked at

extension RescanQueue {
  func add(_ events: [WatchEvent]) {
    schedule.withLock { schedule in
      for event in events { schedule.add(event) }
    }
  }

  /// `isFinished`: whether whoever changed it is known to be done.
  func add(_ targets: [WatchTarget], isFinished: Bool) {
    schedule.withLock { schedule in
      for target in targets { schedule.add(target, isFinished: isFinished) }
    }
  }

  func add(_ target: WatchTarget, isFinished: Bool) { add([target], isFinished: isFinished) }

  /// Names that were not there when they were looked at.
  func add(absent targets: [WatchTarget]) {
    schedule.withLock { schedule in
      for target in targets { schedule.add(absent: target) }
    }
  }

  func add(folder number: InodeNumber) { schedule.withLock { $0.add(folder: number) } }

  /// A directory is looked into where `isNeeded`, or where it was missed before.
  func met(_ directory: InodeNumber, isNeeded: Bool) {
    schedule.withLock { schedule in
      if schedule.met(directory) || isNeeded { schedule.add(folder: directory) }
    }
  }

  /// A directory is gone: it was not missed.
  func forget(_ directory: InodeNumber) { schedule.withLock { _ = $0.met(directory) } }

  func missed(_ directories: [InodeNumber]) { schedule.withLock { $0.missed(directories) } }

  /// Looks again at a file that is not what it was announced as. `isFinished`: whether whoever
  /// changed it is known to be done.
  func lookAgain(at number: InodeNumber, isFinished: Bool = false) {
    let target = namespace.read { tree -> WatchTarget? in
      guard let node = tree[number], let name = node.name, let parent = node.parent,
        let path = tree.path(of: node)
      else { return nil }
      return folder.inPlaceShare(at: path).map { .place($0.id) } ?? .name(parent.number, name)
    }
    guard let target else { return }
    add(target, isFinished: isFinished)
    wake()
  }

  /// The same of the file of an own entry.
  func lookAgain(at entry: EntryID) {
    if let number = namespace.read({ $0.node(of: entry)?.number }) { lookAgain(at: number) }
  }
}

// MARK: - What became of it

extension RescanQueue {
  func settled(_ targets: [WatchTarget]) {
    schedule.withLock { schedule in
      for target in targets { schedule.settled(target) }
    }
  }

  func settled(_ target: WatchTarget) { schedule.withLock { $0.settled(target) } }

  func settled(_ attempt: RescanRetries.Attempt) { schedule.withLock { $0.settled(attempt) } }

  /// Nothing is at a name. `wasKnown`: whether the namespace has something there, which is then
  /// looked at once more.
  func settled(absent target: WatchTarget, wasKnown: Bool) {
    schedule.withLock { schedule in
      if wasKnown { schedule.add(absent: target) }
      schedule.settled(target)
    }
  }

  /// Something could not be looked at: that is tried again, and said once.
  func couldNotLook(_ attempt: RescanRetries.Attempt, _ error: SystemError) {
    guard schedule.withLock({ $0.failed(attempt) }) else { return }
    budget.log(
      .warning, "what could not be looked at",
      "something in the own folder could not be looked at; that is tried again",
      metadata: ["why": "\(error)"])
  }

  /// A directory could not be watched. Returns: whether this is the first.
  func couldNotWatch() -> Bool { schedule.withLock { $0.couldNotWatch() } }

  func putOff(_ target: WatchTarget, until due: Instant) {
    schedule.withLock { $0.putOff(target, until: due, now: MonotonicClock.now) }
  }

  func putOffSince(_ target: WatchTarget) -> Instant? {
    schedule.withLock { $0.putOffSince(target) }
  }
}

// MARK: - The scan at the start

extension RescanQueue {
  var isStarting: Bool { schedule.withLock { $0.isStarting } }

  /// Directories that it has still to look into; nil where it has ended.
  var unscanned: Int? { schedule.withLock { $0.isStarting ? $0.unscanned.count : nil } }

  /// Whether it has still to look into a directory.
  func isUnscanned(_ number: InodeNumber) -> Bool {
    schedule.withLock { $0.isStarting && $0.unscanned.contains(number) }
  }

  func scanned(_ number: InodeNumber) { schedule.withLock { $0.scanned(number) } }

  func isFirstLook(at target: WatchTarget) -> Bool {
    schedule.withLock { $0.isFirstLook(at: target) }
  }

  /// All was looked at. Returns: false where that was so before, or it is not.
  func endStart() -> Bool {
    schedule.withLock { !$0.isStopping && $0.isEmpty && $0.endStart() }
  }
}
