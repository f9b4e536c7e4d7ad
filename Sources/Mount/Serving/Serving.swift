import Core
import Logging
import Protocol
import Sealing
import System

/// Own files for others: what the hub, and members by lines, ask this one to upload
/// (`UploadLanes`); no more of it is read than the stream of each takes.
package final class Serving: OnOwnFolder, Sendable {
  struct State: Sendable {
    var lanes = UploadLanes()
    var queues = UploadQueues()
    var isPaused = false
    /// What went, and of that what went by lines.
    var meter = TransferMeter()
    var directMeter = TransferMeter()
    /// Bytes of leaves that went since the process began.
    var sent: UInt64 = 0

    /// What a reader does with the leaf that is next.
    mutating func turn(
      of reader: UploadLanes.ReaderID, _ rest: Upload, now: Instant
    ) -> Turn {
      if !lanes.begins(rest, reader, now: now) { return .ends }
      return queues.isFull(rest.way) || lanes.givesWay(reader) ? .putsBack : .reads
    }

    /// Bytes were given to the stream of a way, or taken by it.
    mutating func noteQueued(_ way: ChunkWay) { lanes.setFull(way, queues.isFull(way)) }
  }

  enum Turn {
    case reads
    /// There is no room for it, or something more urgent.
    case putsBack
    /// Nobody waits for it any more.
    case ends
  }

  let parts: OwnFolderParts
  let files: OwnFiles
  let sealer: Sealer
  let state = Locked(State(), rank: .leaf)
  let sources = Locked(OpenSources(), rank: .leaf)
  let lines = Locked([LineID: Line](), rank: .leaf)
  let served = Locked(ServedDirectly(), rank: .leaf)
  /// The readers: as many as may be stuck and as get on. Of their own: what is stuck keeps no other
  /// disk work waiting.
  private let pool: WorkerPool

  init(_ files: OwnFiles, _ sealer: Sealer) throws(SystemError) {
    parts = files.parts
    self.files = files
    self.sealer = sealer
    pool = try WorkerPool(
      name: "uploads", threads: 1, queueLimit: UploadLanes.readerLimit + UploadLanes.stuckLimit,
      spare: UploadLanes.readerLimit + UploadLanes.stuckLimit, patience: .zero)
  }

  /// Leaves asked of us and not yet sent, for status.
  package var queuedLeaves: Int { state.withLock { $0.lanes.leaves } }

  /// Bytes of own files that went to others since the process began.
  package var sentBytes: UInt64 { state.withLock { $0.sent } }

  /// Bytes per second that a version is uploaded with; nil where it was not lately.
  func rate(of version: VersionKey, now: Instant) -> Double? {
    state.withLock { $0.meter[version]?.rate(now: now) }
  }

  /// What went, and whether uploads are paused.
  var flows: (meter: TransferMeter, direct: TransferMeter, isPaused: Bool) {
    state.withLock { ($0.meter, $0.directMeter, $0.isPaused) }
  }

  /// The connection to the hub is lost: whoever still wants leaves asks again.
  func clear() {
    state.withLock { state in
      state.lanes.drop(.hub)
      state.queues.closed(.hub)
    }
  }

  /// Time has passed: files that rest are closed; readers that are stuck are given up, others take
  /// their place.
  func tick() {
    let now = MonotonicClock.now
    sources.withLock { $0.closeRested(now: now) }
    let refused = state.withLock { $0.lanes.giveUp(now: now) }
    for request in refused {
      budget.log(
        .warning, "files that do not answer",
        "a file of one's own cannot be read: its disk does not answer; whoever reads it waits",
        metadata: ["path": "\(namespace.shownPath(of: .own(request.run.entry)))"])
      refuseStuck(request)
    }
    run()
    pool.relieve()
  }

  /// When `tick` is due.
  var nextDeadline: Instant? {
    [sources.withLock { $0.nextExpiry }, state.withLock { $0.lanes.nextDeadline }]
      .compactMap { $0 }.min()
  }

  func stop() { pool.stop(within: DiskWork.lastWork) }

  /// Begins a reader where one is wanted.
  func run() {
    let begun = state.withLock { $0.lanes.begin(now: MonotonicClock.now) }
    guard let (reader, first) = begun else { return }
    let isAccepted = pool.submit { [self] in
      var next: Upload? = first
      while let request = next { next = goOn(reader, serve(request, reader), ends: false) }
    }
    if !isAccepted { _ = goOn(reader, first, ends: true) }
  }

  private func goOn(
    _ reader: UploadLanes.ReaderID, _ rest: Upload?, ends: Bool
  ) -> Upload? {
    state.withLock { $0.lanes.goOn(reader, rest: rest, ends: ends, now: MonotonicClock.now) }
  }
}
