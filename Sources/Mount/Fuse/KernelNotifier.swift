import CFuse
import Protocol
import System

/// Tells the kernel what it may no longer remember. One thread of its own, which holds no lock of ours:
/// the kernel may make it wait for a request that is being answered. No reply ever waits for it.
final class KernelNotifier: Sendable {
  private struct Work {
    var queue: [Invalidation] = []
    var isStopping = false
  }

  private let work = Monitor(Work())
  private let thread: Locked<JoinableThread?> = Locked(nil)

  /// Starts the thread. `session` must outlive `stop`.
  func start(_ session: SessionReference) throws(SystemError) {
    let work = work
    let started = try Thread.start(name: "notifier") {
      while let batch = Self.next(work) {
        for one in batch { Self.tell(one, session) }
      }
    }
    thread.withLock { $0 = started }
  }

  /// Queues what changed. Any thread, also with the volume's lock held.
  func add(_ invalidations: [Invalidation]) {
    if !invalidations.isEmpty { work.update { $0.queue += invalidations } }
  }

  /// Ends the thread; what is queued is dropped.
  func stop() {
    work.update { $0.isStopping = true }
    thread.withLock { $0.take() }?.join()
  }

  private static func next(_ work: Monitor<Work>) -> [Invalidation]? {
    let batch: [Invalidation]?? = work.wait { work -> [Invalidation]?? in
      if work.isStopping { return .some(nil) }
      if work.queue.isEmpty { return nil }
      defer { work.queue = [] }
      return .some(work.queue)
    }
    return batch ?? nil
  }

  /// An error means that the kernel does not remember it: nothing to do.
  private static func tell(_ invalidation: Invalidation, _ session: SessionReference) {
    switch invalidation {
    case .name(let directory, let name):
      _ = fuse_lowlevel_notify_inval_entry(
        session.raw, directory, name.bytes.cPath, name.bytes.count)
    case .listing(let number), .content(let number):
      _ = fuse_lowlevel_notify_inval_inode(session.raw, number, 0, 0)
    case .attributes(let number):
      _ = fuse_lowlevel_notify_inval_inode(session.raw, number, -1, 0)
    }
  }
}

/// libfuse's session, for threads other than its own.
// SAFETY: libfuse allows notifications and exit from any thread while the session exists.
struct SessionReference: @unchecked Sendable {
  let raw: OpaquePointer
}
