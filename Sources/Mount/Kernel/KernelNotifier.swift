import CFuse
import Glibc
import Protocol
import System

/// Tells the kernel what it may no longer remember. One thread of its own, which holds no lock of
/// ours: the kernel may make it wait for a request that is being answered. No reply ever waits for
/// it.
final class KernelNotifier: Sendable {
  private enum Item: Sendable {
    case tell(Invalidation)
    case run(@Sendable () -> Void)
  }

  private struct Work {
    var queue: [Item] = []
    var isRunning = false
    var isStopping = false
  }

  private let work = Monitor(Work())
  private let thread: Locked<JoinableThread?> = Locked(nil)

  /// Starts the thread. `session` must outlive `stop`.
  func start(_ session: SessionReference, name: String = "notifier") throws(SystemError) {
    let work = work
    work.update { $0.isRunning = true }
    let started = try Thread.start(name: name) {
      var late = LateInvalidations()
      func tell(_ invalidation: Invalidation, times: Int) {
        if Self.tell(invalidation, session) { return }
        late.add(invalidation, times: times, now: MonotonicClock.now)
      }
      while let batch = Self.next(work, until: late.nextDeadline) {
        for one in batch {
          switch one {
          case .tell(let invalidation): tell(invalidation, times: 1)
          case .run(let body): body()
          }
        }
        for one in late.takeDue(now: MonotonicClock.now) {
          tell(one.invalidation, times: one.times + 1)
        }
      }
    }
    thread.withLock { $0 = started }
  }

  /// Queues what changed; where nothing is mounted, nobody knows of it. Any thread, also with the
  /// namespace locked.
  func add(_ invalidations: [Invalidation]) {
    if invalidations.isEmpty || !work.withLock({ $0.isRunning }) { return }
    work.update { $0.queue += invalidations.map { .tell($0) } }
  }

  /// The same, and calls `then` once the kernel was told, in this object's thread; at once where
  /// nothing is mounted. No lock held.
  func add(_ invalidations: [Invalidation], then body: @escaping @Sendable () -> Void) {
    let isRunning = work.withLock { $0.isRunning && !$0.isStopping }
    if !isRunning { return body() }
    work.update { $0.queue += invalidations.map { .tell($0) } + [.run(body)] }
  }

  /// Ends the thread; what is queued is dropped.
  func stop() {
    work.update { $0.isStopping = true }
    thread.withLock { $0.take() }?.join()
  }

  /// What was queued, nothing where `deadline` is over; nil at the end.
  private static func next(_ work: Monitor<Work>, until deadline: Duration?) -> [Item]? {
    let left = deadline.map { max(.zero, $0 - MonotonicClock.now) }
    let batch: [Item]?? = work.wait(timeout: left) { work -> [Item]?? in
      if work.isStopping { return .some(nil) }
      if work.queue.isEmpty { return nil }
      defer { work.queue = [] }
      return .some(work.queue)
    }
    return batch ?? []
  }

  /// Returns: false where the kernel does not know the node, or not yet. Another error means that it
  /// does not remember it: nothing to do.
  private static func tell(_ invalidation: Invalidation, _ session: SessionReference) -> Bool {
    func inode(_ number: InodeNumber, from offset: Int64) -> Bool {
      fuse_lowlevel_notify_inval_inode(session.raw, number, off_t(offset), 0) != -ENOENT
    }
    switch invalidation {
    // Of names the kernel hears behind every answer about them: both hold the directory.
    case .name(let directory, let name):
      _ = fuse_lowlevel_notify_inval_entry(
        session.raw, directory, name.bytes.cPath, name.bytes.count)
      return true
    case .gone(let directory, let name, let number):
      _ = fuse_lowlevel_notify_delete(
        session.raw, directory, number, name.bytes.cPath, name.bytes.count)
      return true
    case .listing(let number), .content(let number): return inode(number, from: 0)
    case .end(let number, let offset): return inode(number, from: Int64(offset))
    case .attributes(let number): return inode(number, from: -1)
    }
  }
}

/// libfuse's session, for threads other than its own.
// SAFETY: libfuse allows notifications and exit from any thread while the session exists.
struct SessionReference: @unchecked Sendable {
  let raw: OpaquePointer
}
