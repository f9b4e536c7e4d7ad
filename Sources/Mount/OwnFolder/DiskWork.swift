import Core
import Glibc
import System

/// Which thread goes to the own folder's disk: a FUSE thread, as long as enough others are left to
/// answer what needs no disk, else one of a pool.
final class DiskWork: Sendable {
  /// Closures that may wait for the pool: more than the kernel ever has under way.
  private static let queueLimit = 65_536
  /// Threads of the pool: enough to keep a disk busy, few enough to stay small.
  private static let threads = 4
  /// Those that are started in the place of stuck ones at most: `WorkerPool.keyLimit` for each of
  /// eight files or disks that hang.
  private static let spareThreads = 32
  /// How long the end waits for work on a disk that does not answer.
  static let lastWork: Duration = .seconds(5)

  private let pool: WorkerPool
  private let inline: Locked<InlineIOLimiter>

  /// `inline`: FUSE threads that may be at the disk at one time.
  init(inline limit: Int) throws(SystemError) {
    pool = try WorkerPool(
      name: "disk", threads: Self.threads, queueLimit: Self.queueLimit, spare: Self.spareThreads)
    inline = Locked(InlineIOLimiter(limit: limit), rank: .leaf)
  }

  /// Runs disk work for a request; an error that it throws is the answer, EBUSY where too much
  /// waits. `key`: the file or disk that it goes to. FUSE threads only.
  func answer(
    _ request: Request, key: WorkerPool.Key? = nil,
    _ work: @escaping @Sendable () throws(SystemError) -> Void
  ) {
    let answer = { @Sendable () -> Void in
      do throws(SystemError) { try work() } catch { request.reply(error: error.code) }
    }
    if onThisThread(answer) || pool.submit(key: key, answer) { return }
    request.reply(error: EBUSY)
  }

  /// Runs disk work on this thread, as long as enough others are left; else on the pool: handing it
  /// over costs more than most of this work. FUSE threads only. Returns: false when too much waits
  /// already.
  func soon(_ work: @escaping @Sendable () -> Void) -> Bool {
    onThisThread(work) || pool.submit(work)
  }

  /// Runs disk work on this thread, if enough others are left. FUSE threads only. Returns: false if
  /// not.
  func onThisThread(_ work: () -> Void) -> Bool {
    guard inline.withLock({ $0.take() }) else { return false }
    defer { inline.withLock { $0.giveBack() } }
    work()
    return true
  }

  /// Runs disk work that follows from what was done, however much waits: each kind has at most one
  /// such closure under way, or one for each request that the kernel waits for.
  func run(_ work: @escaping @Sendable () -> Void) { pool.run(work) }

  /// Runs disk work on the pool. Returns: false when too much waits already.
  func submit(key: WorkerPool.Key? = nil, _ work: @escaping @Sendable () -> Void) -> Bool {
    pool.submit(key: key, work)
  }

  /// Much was needed for a while: what is left over goes back to the system.
  func giveBackMemory() { run { Allocator.giveBack() } }

  /// Starts threads in the place of stuck ones.
  func relieve() { pool.relieve() }

  /// When `relieve` is due.
  var nextRelief: Instant? { pool.nextRelief }

  /// Ends the threads; what does not answer is left behind.
  func stop() { pool.stop(within: Self.lastWork) }
}
