package import Core
package import Logging
package import Protocol
package import System

/// Keeps a copy of a member's replica in the state folder, so that the next start shows at once
/// what was known.
///
/// Written by a thread of its own: a moment after the last change, and while changes come every ten
/// seconds; what a crash loses of it is caught up from the cursor. All of the list is written where
/// it was taken anew, and where the file has grown to twice that; else only what changed. A disk
/// that takes nothing costs nothing but the copy.
package final class ListKeeper: Sendable {
  /// How long nothing must have come before it is written.
  private static let quiet: Duration = .seconds(1)
  /// How long it may take while changes come.
  private static let longest: Duration = .seconds(10)
  /// How long a disk that failed is left alone.
  private static let rest: Duration = .seconds(60)
  /// Things that wait to be written at most, since they lie in memory: then it is done at once.
  private static let itemLimit = 50_000

  private struct State {
    var steps: [ReplicaStep] = []
    /// Things in `steps`.
    var items = 0
    /// Whether all of the list is to be written: what waits is in that.
    var needsAll = false
    var isDropped = false
    var first: Instant = .zero
    var last: Instant = .zero
    /// The disk failed: not before.
    var notBefore: Instant = .zero
    var isStopping = false

    var hasWork: Bool { needsAll || isDropped || !steps.isEmpty }
    var isUrgent: Bool { isStopping || isDropped || items > ListKeeper.itemLimit }
    mutating func forgetSteps(needingAll: Bool) {
      steps.removeAll()
      items = 0
      needsAll = needingAll
    }

    var due: Instant { max(notBefore, min(last + ListKeeper.quiet, first + ListKeeper.longest)) }
  }

  /// What is to be done now.
  private struct Job {
    let state: State
    var steps: [ReplicaStep] { state.steps }
  }

  /// What the thread has under way; before it runs, what was loaded.
  private struct Writing {
    var file: KeptListFile?
    /// The latest step that is in the file.
    var step: UInt64 = 0
    var hasFailed = false
  }

  private let path: String
  private let secret: [UInt8]
  private let log: Logger
  private let state = Monitor(State())
  /// A leaf among the locks; held by the thread for as long as it writes, by nobody else meanwhile.
  private let writing = Locked(Writing())
  private let thread: Locked<JoinableThread?> = Locked(nil)

  /// `path`: of the file; `secret`: what it is sealed under, `ListSeal.secretLength` bytes.
  package init(path: String, secret: [UInt8], log: Logger) {
    self.path = path
    self.secret = secret
    self.log = log
  }

  /// What an earlier process kept of the group of `master`; nil where there is nothing of use,
  /// which is said and deleted. Blocks on the disk. Call before `start`.
  package func load(master: Fingerprint?) -> KeptReplica? {
    do throws(KeptListFault) {
      guard let loaded = try KeptListLoading.load(path, secret: secret, master: master) else {
        return nil
      }
      writing.withLock { $0.file = loaded.file }
      return loaded.kept
    } catch {
      log.notice("the kept list \(path) is of no use, and is taken anew from the master: \(error)")
      KeptListFile.delete(path)
      return nil
    }
  }

  /// Begins to write. `master`: whose group it is; `snapshot`: all of the replica as it is now.
  /// Both are called by the thread.
  package func start(
    master: @escaping @Sendable () -> Fingerprint?,
    snapshot: @escaping @Sendable () -> ReplicaSnapshot?
  ) throws(SystemError) {
    let started = try Thread.start(name: "list") { [self] in
      while true {
        let job = next()
        let failed = writing.withLock { perform(job, in: &$0, master, snapshot) }
        if job.state.isStopping { return }
        if failed {
          state.withLock { state in
            state.needsAll = !state.isDropped
            state.notBefore = MonotonicClock.now + Self.rest
          }
        }
      }
    }
    thread.withLock { $0 = started }
  }

  /// The replica made a step. Any thread; waits for nothing, and wakes the thread only where that
  /// has something to do.
  package func note(_ step: ReplicaStep) {
    let now = MonotonicClock.now
    let wakes = state.withLock { state -> Bool in
      let (hadWork, wasUrgent) = (state.hasWork, state.isUrgent)
      switch step.effect {
      case .changed(let items):
        if state.needsAll { break }
        state.steps.append(step)
        state.items += items.count
      case .renewed: state.forgetSteps(needingAll: true)
      case .dropped:
        state.forgetSteps(needingAll: false)
        state.isDropped = true
      }
      if !hadWork { state.first = now }
      state.last = now
      return !hadWork || (state.isUrgent && !wasUrgent)
    }
    if wakes { state.update { _ in } }
  }

  /// Writes what waits and ends the thread. Blocks on the disk.
  package func stop() {
    state.update { $0.isStopping = true }
    thread.withLock { $0.take() }?.join()
  }
}

// MARK: - The thread

extension ListKeeper {
  /// Waits until something is to be written, and takes it.
  private func next() -> Job {
    _ = state.wait { $0.hasWork || $0.isStopping ? true : nil }
    while true {
      let now = MonotonicClock.now
      let left = state.withLock { $0.isUrgent ? .zero : $0.due - now }
      if left <= .zero { break }
      _ = state.wait(timeout: left) { $0.isUrgent ? true : nil }
    }
    return state.withLock { state in
      let job = Job(state: state)
      state.forgetSteps(needingAll: false)
      state.isDropped = false
      return job
    }
  }

  /// Returns: whether the disk failed.
  private func perform(
    _ job: Job, in writing: inout Writing, _ master: () -> Fingerprint?,
    _ snapshot: () -> ReplicaSnapshot?
  ) -> Bool {
    if job.state.isDropped {
      writing.file = nil
      KeptListFile.delete(path)
    }
    do throws(SystemError) {
      let isAll = job.state.needsAll || writing.file?.isWorthRewriting ?? true
      if isAll {
        guard job.state.needsAll || !job.steps.isEmpty, let master = master(),
          let snapshot = snapshot()
        else { return false }
        writing.file = try KeptListFile(path: path, secret: secret, master: master, snapshot)
        writing.step = snapshot.step
      } else {
        // What a snapshot was ahead of came behind it.
        let steps = job.steps.filter { $0.number > writing.step }
        guard let last = steps.last else { return false }
        let items = steps.lazy.flatMap { step -> [PageItem] in
          if case .changed(let items) = step.effect { items } else { [] }
        }
        try writing.file!.append(items, upTo: last.reached)
        writing.step = last.number
      }
      if writing.hasFailed { log.notice("the list is kept in \(path) again") }
      writing.hasFailed = false
      return false
    } catch {
      if !writing.hasFailed {
        log.warning("the list cannot be kept, so the next start takes it from the master: \(error)")
      }
      writing.hasFailed = true
      writing.file = nil
      return true
    }
  }
}
