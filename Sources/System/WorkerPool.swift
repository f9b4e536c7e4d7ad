import DequeModule

/// Threads that run closures in the order they came, with a bounded queue.
///
/// Work may be on something that never answers: a disk that is gone, a file system of another
/// program's. So no more than `keyLimit` threads are ever at work with one key, and where all are
/// stuck others are started in their place, up to a bound: what hangs holds up what has the same
/// key, and nothing else.
package final class WorkerPool: Sendable {
  /// What work goes to, where that may hang: work with one key waits for itself.
  package typealias Key = UInt64

  /// Threads at work with one key at most.
  package static let keyLimit = 4

  private let shared: Monitor<WorkQueue>
  private let threads: Locked<[JoinableThread]>
  private let name: String

  /// Starts `threads` threads. At most `queueLimit` closures wait at any time. `spare`: threads
  /// that are started besides where the next to run has waited for `patience`; they end when
  /// nothing waits.
  package init(
    name: String, threads count: Int, queueLimit: Int, spare: Int = 0,
    patience: Duration = .milliseconds(500)
  ) throws(SystemError) {
    precondition(count > 0 && queueLimit > 0 && spare >= 0, "a pool has threads and room")
    let shared = Monitor(
      WorkQueue(limit: queueLimit, threads: count, spare: spare, patience: patience))
    self.shared = shared
    self.name = name
    var started: [JoinableThread] = []
    do throws(SystemError) {
      for index in 0..<count {
        started.append(
          try Thread.start(name: "\(name)-\(index)") { runWork(of: shared, isSpare: false) })
      }
    } catch {
      shared.update { $0.isStopping = true }
      for thread in started { thread.join() }
      throw error
    }
    threads = Locked(started)
  }

  deinit {
    // The threads keep the queue, not the pool, so a pool that nobody stopped still ends them.
    shared.update { $0.isStopping = true }
  }

  /// Queues what has to be done whatever waits already: of that there is never more than of what
  /// was taken before. Nothing happens where the pool is stopping. Any thread.
  package func run(_ work: @escaping @Sendable () -> Void) {
    _ = submit(key: nil, always: true, work)
  }

  /// Queues a closure. False when the queue is full or the pool is stopping. Any thread.
  package func submit(_ work: @escaping @Sendable () -> Void) -> Bool { submit(key: nil, work) }

  /// The same, for work that goes to what `key` stands for.
  package func submit(key: Key?, _ work: @escaping @Sendable () -> Void) -> Bool {
    submit(key: key, always: false, work)
  }

  private func submit(
    key: Key?, always: Bool, _ work: @escaping @Sendable () -> Void
  ) -> Bool {
    let now = MonotonicClock.now
    let (isAccepted, isStuck) = shared.withLock { queue in
      (
        queue.push(Work(key: key, since: now, body: work), always: always),
        queue.takesSpare(now: now)
      )
    }
    if isAccepted { shared.signal() }
    if isStuck { startSpare() }
    return isAccepted
  }

  /// Starts another thread where all are stuck. Call it now and then; any thread.
  package func relieve() {
    let now = MonotonicClock.now
    if shared.withLock({ $0.takesSpare(now: now) }) { startSpare() }
  }

  /// When `relieve` may find something to do; nil where nothing waits.
  package var nextRelief: Duration? { shared.withLock { $0.nextRelief } }

  /// Runs what is queued, then ends and joins the threads. Never from one of them. `limit`: how
  /// long it waits for work that may be stuck; then such threads are left to themselves.
  package func stop(within limit: Duration? = nil) {
    shared.update { $0.isStopping = true }
    if let limit, shared.wait(timeout: limit, for: { $0.isAtRest ? true : nil }) == nil { return }
    for thread in threads.withLock({ $0 }) { thread.join() }
  }

  private func startSpare() {
    let shared = shared
    do throws(SystemError) {
      _ = try Thread.start(name: "\(name)-spare") { runWork(of: shared, isSpare: true) }
    } catch {
      // Tried again as long as something waits.
      shared.withLock { $0.spareThreads -= 1 }
    }
  }
}

private struct Work: Sendable {
  let key: WorkerPool.Key?
  /// When it came.
  let since: Duration
  let body: @Sendable () -> Void
}

private struct WorkQueue {
  private let limit: Int
  private let threads: Int
  private let spare: Int
  private let patience: Duration
  private var waiting: Deque<Work> = []
  /// What waits for others with its key, in order, and how many of each are at work.
  private var held: [WorkerPool.Key: Deque<Work>] = [:]
  private var heldCount = 0
  private var running: [WorkerPool.Key: Int] = [:]
  /// Threads that are at work.
  private var busy = 0
  var spareThreads = 0
  var isStopping = false

  init(limit: Int, threads: Int, spare: Int, patience: Duration) {
    self.limit = limit
    self.threads = threads
    self.spare = spare
    self.patience = patience
  }

  mutating func push(_ work: Work, always: Bool) -> Bool {
    guard !isStopping, always || waiting.count + heldCount < limit else { return false }
    waiting.append(work)
    return true
  }

  /// The next that may run; `end` must follow.
  mutating func next() -> Work? {
    while let work = waiting.popFirst() {
      guard let key = work.key, running[key, default: 0] >= WorkerPool.keyLimit else {
        busy += 1
        if let key = work.key { running[key, default: 0] += 1 }
        return work
      }
      held[key, default: []].append(work)
      heldCount += 1
    }
    return nil
  }

  /// Work is done: what waits for its key goes before all that came later.
  mutating func end(_ key: WorkerPool.Key?) {
    busy -= 1
    guard let key else { return }
    running[key]! -= 1
    if running[key] == 0 { running[key] = nil }
    guard let work = held[key]?.popFirst() else { return }
    if held[key]!.isEmpty { held[key] = nil }
    heldCount -= 1
    waiting.prepend(work)
  }

  /// Whether nothing is at work any more, and nothing waits.
  var isAtRest: Bool { busy == 0 && waiting.isEmpty && heldCount == 0 }

  var nextRelief: Duration? {
    spareThreads < spare && busy >= threads + spareThreads
      ? waiting.first.map { $0.since + patience } : nil
  }

  /// Whether a thread is to be started, which then counts: all are at work, and what is next has
  /// waited for too long.
  mutating func takesSpare(now: Duration) -> Bool {
    guard !isStopping, let due = nextRelief, now >= due else { return false }
    spareThreads += 1
    return true
  }
}

private func runWork(of shared: Monitor<WorkQueue>, isSpare: Bool) {
  while true {
    // The outer optional is `wait`'s time-out, which cannot happen here.
    let next: Work?? = shared.wait { queue in
      if let work = queue.next() { return .some(.some(work)) }
      if isSpare { queue.spareThreads -= 1 }
      return queue.isStopping || isSpare ? .some(.none) : .none
    }
    guard case .some(.some(let work)) = next else { return }
    work.body()
    let isAtRest = shared.withLock { queue in
      queue.end(work.key)
      return queue.isStopping && queue.isAtRest
    }
    // Whoever stops it waits for that.
    if isAtRest { shared.update { _ in } }
  }
}
