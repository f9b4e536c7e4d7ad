package import Core
package import Logging
import Protocol
package import Sealing
package import System

/// The mount: its rooms, and how they are wired.
///
/// Each room is a type that owns its state and its locks. Those further down know nothing of those
/// above them:
///
///     Incoming ───┐           FolderSync      others' changes; the own folder used directly
///        │        │           │        │
///        │        │           │     Serving    own files to others
///     Keeping     │           │        │       others' files that are here whole
///        │        │           │        │
///     Reading     │           │        │       others' files
///        │        │         OwnFiles ──┘       own files through the mount
///        │        │           │
///        │        └─────── OwnFolder           the folder on disk, what of it is looked at again
///        └── Namespace ───────┘                which node shows at a path
///                  │
///               Kernel                         libfuse
package final class Volume: OnOwnFolder, Sendable {
  package struct Settings: Sendable {
    /// How long `close` waits for the group's answer.
    package var ackTimeout: Duration = .seconds(30)
    /// Whether `close` returns without it.
    package var closesAsync = false
    /// Whether it does where nobody can answer, or nobody has in time.
    package var keepsOffline = false
    /// What everything shows in place of its own owner, group and mode.
    package var shown = ShownAttributes()
    /// Called once, on any thread, when the log has said that something is shared which its mode
    /// keeps from other users here; nil: that was said before, and is not again.
    package var saidPrivate: (@Sendable () -> Void)?
    package var fetcher = ChunkFetcher.Settings()
    package var watching = WatchTimes()
    package init() {}
  }

  let parts: OwnFolderParts
  package let reading: RemoteReading
  package let keeping: Keeping
  package let files: OwnFiles
  package let serving: Serving
  package let folderSync: FolderSync
  package let incoming: Incoming

  /// `sealer`: what leaves are sealed and opened with, of oneself and of others. `numberKey`: what
  /// the numbers of others' entries are made with, `FileNumbers.keyLength` bytes. `kept`: what of
  /// others' files stays in the disk cache.
  package init(
    folder: OwnFolder, index: OwnIndex, group: any GroupPort, sealer: Sealer, settings: Settings,
    log: Logger, numberKey: [UInt8], diskCache: DiskCache? = nil,
    kept: ChosenPaths = ChosenPaths()
  ) throws(SystemError) {
    let budget = LogBudget(log)
    let own = try Stat(descriptor: folder.root.raw)
    guard let numbers = FileNumbers(key: numberKey, home: own.dev) else {
      preconditionFailure("a key for numbers has its length")
    }
    let namespace = Namespace(own: own, numbers: numbers)
    let disk = try DiskWork(inline: FuseSession.threads - FuseSession.freeThreads)
    let rescans = RescanQueue(namespace, folder, disk, budget)
    parts = OwnFolderParts(
      namespace: namespace, folder: folder, index: index,
      ignoring: IgnoreFile(folder, settling: settings.watching.settling, log),
      watch: try OwnWatch(limit: settings.watching.limit), group: group, disk: disk,
      rescans: rescans, log: log, budget: budget)
    reading = RemoteReading(namespace, group, settings.fetcher, diskCache, sealer, budget)
    keeping = Keeping(namespace, reading, group, kept: kept)
    files = try OwnFiles(
      parts,
      OwnFiles.Settings(
        ackTimeout: settings.ackTimeout, closesAsync: settings.closesAsync,
        keepsOffline: settings.keepsOffline, shown: settings.shown,
        saidPrivate: settings.saidPrivate))
    serving = try Serving(files, sealer)
    folderSync = FolderSync(files, serving, settings.watching)
    incoming = Incoming(namespace, reading, keeping, rescans)
  }

  /// Mounts. Throws: EIO-like text where libfuse refuses; it has said why on stderr.
  package func mount(
    on mountpoint: String, _ mount: KernelMount, log: Logger
  ) throws(SystemError) -> FuseSession {
    try FuseSession(self, mountpoint: mountpoint, mount, log: log)
  }

  /// Shares again what lies in the own folder. Before the mount; blocks on the disk, but for what
  /// takes long.
  package func shareOwnFolder() throws(SystemError) {
    folderSync.start()
    try keeping.start()
  }

  /// The connection to the hub is lost.
  package func linkLost() {
    reading.linkLost()
    serving.clear()
  }

  /// The master has decided against this client.
  package func disapproved() {
    reading.disapproved()
    serving.clear()
  }

  /// Time has passed. Memory of leaves that nobody reads any more goes back to the system.
  package func tick() {
    budget.tick()
    files.tick()
    incoming.applyOverdue()
    serving.tick()
    disk.relieve()
    if reading.tick() { disk.giveBackMemory() }
  }

  /// When `tick` is due.
  package var nextDeadline: Instant? {
    [
      reading.nextDeadline, files.nextDeadline, incoming.nextDeadline, serving.nextDeadline,
      disk.nextRelief,
    ].compactMap { $0 }.min()
  }

  /// Much was needed for a while: what is left over goes back to the system.
  package func giveBackMemory() { disk.giveBackMemory() }

  /// Ends what runs, after the mount has ended.
  package func stop() {
    keeping.stop()
    folderSync.stop()
    namespace.stop()
    files.stop()
    serving.stop()
    disk.stop()
    reading.stop()
    index.writeSettled()
  }
}
