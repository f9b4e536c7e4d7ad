package import Core
import Glibc
import Logging
package import Protocol
import Sealing
import System

/// Others' files for this machine's programs: which leaves are asked for (`ChunkFetcher` decides),
/// the requests that wait for them, and what of them lies on disk.
///
/// The fetcher is a state machine; each of its steps is made under its lock, and what it wants done
/// is done by the thread that made the step: answers have no order to keep.
package final class RemoteReading: Sendable {
  let namespace: Namespace
  let group: any GroupPort
  /// The log of what others bring about.
  let budget: LogBudget
  let diskCache: DiskCache?
  let sealer: Sealer
  let fetcher: Locked<ChunkFetcher>
  let reads = Locked(ParkedReads(), rank: .leaf)
  let walks = Locked(DirectoryWalks(), rank: .leaf)
  let staleOpens = Locked(StaleOpens(), rank: .leaf)
  let pauses = Locked(ChosenPaths(), rank: .pauses)

  init(
    _ namespace: Namespace, _ group: any GroupPort, _ settings: ChunkFetcher.Settings,
    _ diskCache: DiskCache?, _ sealer: Sealer, _ budget: LogBudget
  ) {
    self.namespace = namespace
    self.group = group
    self.budget = budget
    self.diskCache = diskCache
    self.sealer = sealer
    var settings = settings
    settings.recalls = diskCache != nil
    fetcher = Locked(ChunkFetcher(settings: settings), rank: .leaf)
  }

  /// The bytes of leaves in memory and the reads that wait, for status.
  package var figures: (cached: Int, limit: Int, waiting: Int) {
    fetcher.withLock { ($0.cachedBytes, $0.budget, $0.waitingReads) }
  }

  /// What was read since the process began.
  package var counts: ReadCounts { fetcher.withLock { $0.counts } }

  /// Whether the streams that carry leaves are open.
  var isLinkReady: Bool { fetcher.withLock { $0.isLinkReady } }

  /// What is known of a version that is read or was: and whether memory is full, and the hub there.
  func state(
    of content: Content, now: Instant
  ) -> (figures: FetchFigures?, isBudgetFull: Bool, isLinkReady: Bool) {
    fetcher.withLock { ($0.figures(of: content, now: now), $0.isBudgetFull, $0.isLinkReady) }
  }

  /// Which way leaves of a version take now.
  package func directState(of version: VersionKey) -> ChunkFetcher.DirectState {
    fetcher.withLock { $0.directState(of: version, now: MonotonicClock.now) }
  }

  /// How many leaves of a version are on this machine, in memory or on disk. Those that are in both
  /// are not counted twice where the disk has all that memory has.
  func leavesHere(of content: Content, inMemory: Int) -> UInt64 {
    max(UInt64(inMemory), diskCache?.leaves(of: content) ?? 0)
  }

  /// The versions of which something was read lately.
  func active(within time: Duration, now: Instant) -> [FetchFigures] {
    fetcher.withLock { fetcher in
      fetcher.activeContents(within: time, now: now).map { fetcher.figures(of: $0, now: now) }
    }
  }

  /// A program has opened a version of somebody else's file. Namespace locked: what the file
  /// becomes next is told to whoever has it open by then.
  func open(_ content: Content, as stream: StreamID) {
    fetcher.withLock { $0.open(stream, content) }
  }

  func close(_ stream: StreamID) { fetcher.withLock { $0.close(stream) } }

  /// Whether a thread gets what it opens, though that is replaced by now (`StaleOpens`).
  func mayOpenStale(_ thread: Int32, lookedUpAt lookup: UInt64, latest: UInt64) -> Bool {
    staleOpens.withLock { $0.mayOpen(thread, lookedUpAt: lookup, latest: latest) }
  }

  /// Files are about to be longer; `perform` must follow. Namespace locked, or a file that is
  /// opened now might be opened as it was.
  func grow(_ growths: [Growth], _ actions: inout [FetchAction]) {
    fetcher.withLock { fetcher in
      for one in growths {
        fetcher.grew(one.old, into: one.new, now: MonotonicClock.now, &actions)
      }
    }
  }

  /// Time has passed. Returns: whether no leaf is left in memory, where some were.
  func tick() -> Bool {
    let before = fetcher.withLock { $0.cachedBytes }
    step { $0.tick(now: $1, into: &$2) }
    return before > 0 && fetcher.withLock { $0.cachedBytes } == 0
  }

  /// When `tick` is due.
  var nextDeadline: Instant? { fetcher.withLock { $0.nextDeadline } }

  func stop() { diskCache?.stop() }
}
