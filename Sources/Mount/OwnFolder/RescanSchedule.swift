import Core
import Protocol
import System

/// How the own folder is watched, in times; and a limit for tests.
package struct WatchTimes: Sendable {
  /// A file that is held open by a writer is taken as it is once nothing was written for so long.
  package var settling: Duration = .seconds(2)
  /// One that is shared already and written without end is told again so often.
  package var retelling: Duration = .seconds(5)
  /// Where directories could not be watched, all is compared so often.
  package var comparing: Duration = .seconds(60)
  /// Whether something shared in place that is not there has come is looked at so often.
  package var missing: Duration = .seconds(2)
  /// Watches at most; nil: what the kernel allows.
  package var limit: Int?
  package init() {}
}

/// What there is to look at in the own folder, and when. Events only ever add to it.
struct RescanSchedule {
  /// Targets that wait at most: beyond it everything is looked at.
  static let limit = 65_536
  /// Targets that are looked at in one go, with the name lock held.
  static let batch = 256

  struct Delay {
    var due: Instant
    /// When it was looked at first.
    let since: Instant
  }

  /// What is to be done next.
  enum Work {
    case targets([(target: WatchTarget, isFinished: Bool)])
    case folder(InodeNumber)
    /// Names that were not there when they were looked at, after all else.
    case absent([WatchTarget])
    /// An own file that could not be announced.
    case announcement(InodeNumber)
  }

  /// What waits, and whether whoever changed it is known to be done.
  private var targets: [WatchTarget: Bool] = [:]
  private var folders: [InodeNumber] = []
  /// Directories that were not looked into yet, while the scan at the start is going on.
  private(set) var unscanned: Set<InodeNumber> = []
  private var absent: Set<WatchTarget> = []
  private var announcements: [InodeNumber] = []
  /// What failed, and is tried again.
  private var retries = RescanRetries()
  /// Targets that are looked at again when it is time.
  private var delayed: [WatchTarget: Delay] = [:]
  /// Directories that were not at their path when they were to be looked at: they, or some that
  /// they lie in, are moving, and are looked at as a whole when they are met again.
  private var missed: Set<InodeNumber> = []
  private var comparesAll = false
  private var comparedAt: Instant?
  /// One worker at a time looks.
  var isRunning = false
  /// Whether the scan at the start is going on.
  private(set) var isStarting = true
  var isStopping = false
  /// Whether some directory could not be watched since all was compared last.
  private var lacksWatches = false
  private var saidSo = false

  mutating func add(_ event: WatchEvent) {
    switch event {
    case .top: add(folder: Node.rootNumber)
    case .overflow: comparesAll = true
    // Which names that concerns is said one by one.
    case .mounts: break
    case .target(let target, let hint):
      switch hint {
      case .finished: add(target, isFinished: true)
      case .writing where delayed[target] == nil: add(target, isFinished: false)
      case .attributes where delayed[target] == nil && targets[target] == nil:
        add(target, isFinished: true)
      case .writing, .attributes: break
      }
    }
  }

  mutating func add(_ target: WatchTarget, isFinished: Bool) {
    guard targets.count < Self.limit else {
      comparesAll = true
      return
    }
    targets[target] = isFinished
  }

  mutating func add(folder: InodeNumber) {
    folders.append(folder)
    if isStarting { unscanned.insert(folder) }
  }

  /// A directory was looked into, or cannot be.
  mutating func scanned(_ folder: InodeNumber) { unscanned.remove(folder) }

  mutating func add(absent target: WatchTarget) { absent.insert(target) }

  mutating func missed(_ directories: [InodeNumber]) { missed.formUnion(directories) }

  /// Whether a directory was missed before it was met now, or forgotten.
  mutating func met(_ directory: InodeNumber) -> Bool { missed.remove(directory) != nil }

  /// Since when a look is put off.
  func putOffSince(_ target: WatchTarget) -> Instant? { delayed[target]?.since }

  mutating func putOff(_ target: WatchTarget, until due: Instant, now: Instant) {
    delayed[target] = Delay(due: due, since: delayed[target]?.since ?? now)
  }

  mutating func settled(_ target: WatchTarget) {
    delayed[target] = nil
    retries.settled(.target(target))
  }

  /// Something failed, and is tried again in a while. Returns: whether it failed for the first
  /// time.
  mutating func failed(_ attempt: RescanRetries.Attempt) -> Bool {
    retries.failed(attempt, now: MonotonicClock.now)
  }

  /// What may have failed before was done.
  mutating func settled(_ attempt: RescanRetries.Attempt) { retries.settled(attempt) }

  /// A directory could not be watched. Returns: whether this is the first.
  mutating func couldNotWatch() -> Bool {
    defer { saidSo = true }
    lacksWatches = true
    return !saidSo
  }

  /// What is next; nil where there is nothing.
  mutating func next(now: Instant) -> Work? {
    if isStopping { return nil }
    if comparesAll {
      comparesAll = false
      lacksWatches = false
      comparedAt = now
      targets = [:]
      // Those below follow, whether they were looked into or not.
      folders = []
      add(folder: Node.rootNumber)
    }
    if !targets.isEmpty {
      let taken = targets.prefix(Self.batch).map { (target: $0.key, isFinished: $0.value) }
      for one in taken { targets[one.target] = nil }
      return .targets(taken)
    }
    while let folder = folders.popLast() {
      // Somebody may have asked for it meanwhile.
      if !isStarting || unscanned.contains(folder) { return .folder(folder) }
    }
    if let number = announcements.popLast() { return .announcement(number) }
    if !absent.isEmpty {
      defer { absent = [] }
      return .absent(Array(absent))
    }
    return nil
  }

  /// Whether the scan at the start is what comes by: it takes what it finds as it is.
  func isFirstLook(at target: WatchTarget) -> Bool {
    switch target {
    case .name(let directory, _): isStarting && unscanned.contains(directory)
    case .place: isStarting
    }
  }

  /// The scan at the start has ended. Returns: false where it had before.
  mutating func endStart() -> Bool {
    defer { isStarting = false }
    return isStarting
  }

  var isEmpty: Bool {
    targets.isEmpty && folders.isEmpty && absent.isEmpty && announcements.isEmpty && !comparesAll
  }

  /// Brings forward what is due. Returns: when something will be, nil where nothing is foreseen.
  mutating func wake(now: Instant, _ times: WatchTimes, hasMissing: Bool) -> Instant? {
    for (target, delay) in delayed where delay.due <= now && targets[target] == nil {
      add(target, isFinished: false)
    }
    for attempt in retries.takeDue(now: now) {
      switch attempt {
      case .target(let target): add(target, isFinished: false)
      case .folder(let number): add(folder: number)
      case .announcement(let number): announcements.append(number)
      }
    }
    var next = delayed.values.lazy.map(\.due).filter { $0 > now }.min()
    func consider(_ instant: Instant) { next = min(next ?? instant, instant) }
    if lacksWatches {
      if comparedAt == nil { comparedAt = now }
      let due = comparedAt! + times.comparing
      if due <= now { comparesAll = true } else { consider(due) }
    }
    retries.nextDeadline.map(consider)
    if hasMissing { consider(now + times.missing) }
    return next
  }
}
