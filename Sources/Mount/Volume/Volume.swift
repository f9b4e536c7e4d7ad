package import Core
import DequeModule
import Glibc
package import Logging
import Protocol
package import System

/// The mount: what the kernel asks, answered from the tree, the own folder and the fetcher.
///
/// Three locks, each held shortly and never two at a time but in this order: namespace (changes of
/// names in the own folder, disk pool only), tree, then whatever the group port takes. Fetcher and
/// handles are leaves. No FUSE thread waits for the network, whose answers run on the thread that
/// brings them; some of them, never all, may be at the disk (`DiskTurns`), the rest of whose work
/// runs on the pool.
package final class Volume: Sendable {
  package struct Settings: Sendable {
    /// How long `close` waits for the group's answer.
    package var ackTimeout: Duration = .seconds(30)
    /// Whether `close` returns without it.
    package var closesAsync = false
    package var fetcher = ChunkFetcher.Settings()
    package var watching = WatchTimes()
    package init() {}
  }

  let settings: Settings
  let folder: OwnFolder
  let index: OwnIndex
  let group: any GroupPort
  let log: Logger
  /// The log of what others bring about.
  let budget: LogBudget
  let pool: WorkerPool
  let notifier = KernelNotifier()
  /// Tells of files that have grown: that may have to wait for a READ of their end.
  let tails = KernelNotifier()
  /// Changes of others on their way into the tree. A leaf among the locks.
  let arriving = Locked(ArrivingChanges())
  let namespace = Locked(())
  let tree: Locked<Tree>
  let handles = Locked(HandleTable())
  let fetcher: Locked<ChunkFetcher>
  let reads = Locked(ParkedReads())
  /// A leaf among the locks.
  let rests = Locked(RestTimes())
  let walks = Locked(DirectoryWalks())
  /// A leaf among the locks.
  let staleOpens = Locked(StaleOpens())
  let closing = Locked(ParkedCloses())
  let closeCauses: CloseCauses
  /// What the master did not take and nobody has dealt with yet.
  let refusals = Locked(Deque<Refusal>())
  /// Paths of the own folder on which something is mounted. A leaf among the locks.
  let mountPoints = Locked<Set<SharePath>>([])
  /// What could not be moved into place. A leaf among the locks.
  let asides = Locked<[AsideFile]>([])
  let diskTurns = Locked(DiskTurns(limit: FuseSession.threads - FuseSession.freeThreads))
  let uploads: Uploads
  /// What was sent of own files. A leaf among the locks.
  let sent = Locked(SentLeaves())
  /// Places that were asked whether they answer, and have not. A leaf among the locks.
  let probes = Locked<Set<PlaceID>>([])
  /// A leaf among the locks.
  let growing = Locked(GrowingFiles())
  /// Taken before `tree` and `fetcher`.
  let pauses = Locked(PausedPaths())
  /// Who we are in the list; an own claim shows whatever the number is.
  let ownID: Locked<PublicID>
  /// What is to be looked at in the own folder.
  let looks = Locked(LookQueue())
  let watch: OwnWatch
  let diskCache: DiskCache?

  /// Closures that may wait for the disk pool: more than the kernel ever has under way.
  private static let poolQueue = 65_536
  /// Threads of the disk pool: enough to keep a disk busy, few enough to stay small.
  private static let poolThreads = 4
  /// Those that are started in the place of stuck ones at most: `WorkerPool.keyLimit` for each of
  /// eight files or disks that hang.
  private static let spareThreads = 32

  /// `numberKey`: what the numbers of others' entries are made with, `FileNumbers.keyLength` bytes.
  package init(
    folder: OwnFolder, index: OwnIndex, group: any GroupPort, settings: Settings, log: Logger,
    numberKey: [UInt8], diskCache: DiskCache? = nil
  ) throws(SystemError) {
    self.settings = settings
    self.folder = folder
    self.index = index
    self.group = group
    self.log = log
    budget = LogBudget(log)
    pool = try WorkerPool(
      name: "disk", threads: Self.poolThreads, queueLimit: Self.poolQueue,
      spare: Self.spareThreads)
    let own = try Stat(descriptor: folder.root.raw)
    guard let numbers = FileNumbers(key: numberKey, home: own.dev) else {
      preconditionFailure("a key for numbers has its length")
    }
    tree = Locked(Tree(now: .now, own: own, numbers: numbers))
    var fetching = settings.fetcher
    fetching.recalls = diskCache != nil
    fetcher = Locked(ChunkFetcher(settings: fetching))
    self.diskCache = diskCache
    uploads = try Uploads()
    closeCauses = try CloseCauses()
    ownID = Locked(.master)
    watch = try OwnWatch(limit: settings.watching.limit)
  }

  /// The bytes of leaves in memory and the reads that wait, for status.
  package var readFigures: (cached: Int, limit: Int, waiting: Int) {
    fetcher.withLock { ($0.cachedBytes, $0.budget, $0.waitingReads) }
  }

  /// Leaves asked of us and not yet sent, for status.
  package var queuedUploads: Int { uploads.queuedLeaves }

  /// Runs disk work for a request; an error that it throws is the answer. `key`: the file or disk
  /// that it goes to. FUSE threads only.
  func onDisk(
    _ request: Request, key: WorkerPool.Key? = nil,
    _ work: @escaping @Sendable () throws(SystemError) -> Void
  ) {
    let answer = { @Sendable () -> Void in
      do throws(SystemError) { try work() } catch { request.reply(error: error.code) }
    }
    if onThisThread(answer) || pool.submit(key: key, answer) { return }
    request.reply(error: EBUSY)
  }

  /// Runs disk work on this thread, as long as enough others are left to answer what needs no disk;
  /// else on the pool: handing it over costs more than most of this work. FUSE threads only.
  /// Returns: false when too much waits already.
  func onDiskSoon(_ work: @escaping @Sendable () -> Void) -> Bool {
    onThisThread(work) || pool.submit(work)
  }

  /// Runs disk work on this thread, if enough others are left. FUSE threads only. Returns: false if
  /// not.
  func onThisThread(_ work: () -> Void) -> Bool {
    guard diskTurns.withLock({ $0.take() }) else { return false }
    defer { diskTurns.withLock { $0.giveBack() } }
    work()
    return true
  }

  /// Runs disk work that follows from what was done, however much waits: each kind has at most one
  /// such closure under way, or one for each request that the kernel waits for.
  func onDisk(_ work: @escaping @Sendable () -> Void) { pool.run(work) }

  /// Changes the tree on the kernel's behalf: it knows what it asked for and is not told again.
  func changeTree<Result>(_ body: (inout Tree) -> Result) -> Result {
    tree.withLock { tree in
      defer { _ = tree.takeInvalidations() }
      return body(&tree)
    }
  }

  /// Changes the tree because of something that the kernel did not ask for: it is told.
  func changeTreeAndTell<Result>(_ body: (inout Tree) -> Result) -> Result {
    tree.withLock { tree in
      defer { notifier.add(tree.takeInvalidations()) }
      return body(&tree)
    }
  }

  /// A new random id.
  func newID() -> RandomID {
    RandomID(high: SecureRandom.uint64(), low: SecureRandom.uint64())
  }
}
