import DequeModule

/// A fixed number of threads that run closures in the order they came, with a bounded queue.
package final class WorkerPool: Sendable {
  private let shared: Monitor<WorkQueue>
  private let threads: [JoinableThread]

  /// Starts `threads` threads. At most `queueLimit` closures wait at any time.
  package init(name: String, threads: Int, queueLimit: Int) throws(SystemError) {
    precondition(threads > 0 && queueLimit > 0, "a pool has threads and room")
    let shared = Monitor(WorkQueue(limit: queueLimit))
    self.shared = shared
    var started: [JoinableThread] = []
    do throws(SystemError) {
      for index in 0..<threads {
        started.append(try Thread.start(name: "\(name)-\(index)") { runWork(of: shared) })
      }
    } catch {
      shared.update { $0.isStopping = true }
      for thread in started { thread.join() }
      throw error
    }
    self.threads = started
  }

  deinit {
    // The threads keep the queue, not the pool, so a pool that nobody stopped still ends them.
    shared.update { $0.isStopping = true }
  }

  /// Queues a closure. False when the queue is full or the pool is stopping. Any thread.
  package func submit(_ work: @escaping @Sendable () -> Void) -> Bool {
    let accepted = shared.withLock { $0.push(work) }
    if accepted { shared.signal() }
    return accepted
  }

  /// Runs what is queued, then ends and joins the threads. Never from one of them.
  package func stop() {
    shared.update { $0.isStopping = true }
    for thread in threads { thread.join() }
  }
}

private struct WorkQueue {
  let limit: Int
  var waiting: Deque<@Sendable () -> Void> = []
  var isStopping = false

  init(limit: Int) {
    self.limit = limit
  }

  mutating func push(_ work: @escaping @Sendable () -> Void) -> Bool {
    guard !isStopping, waiting.count < limit else { return false }
    waiting.append(work)
    return true
  }
}

private func runWork(of shared: Monitor<WorkQueue>) {
  while true {
    // The outer optional is `wait`'s time-out, which cannot happen here.
    let next: (@Sendable () -> Void)?? = shared.wait { queue in
      if let work = queue.waiting.popFirst() { return .some(.some(work)) }
      return queue.isStopping ? .some(.none) : .none
    }
    guard case .some(.some(let work)) = next else { return }
    work()
  }
}
