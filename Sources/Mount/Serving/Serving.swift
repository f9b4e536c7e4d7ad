import Core
import Logging
import Protocol
import Sealing
import System

/// Own files for others: what the hub asks this member to upload (`UploadLanes`); no more of it is
/// read than the upward stream takes.
package final class Serving: OnOwnFolder, Sendable {
  /// Bytes read and not yet taken by the stream at most.
  static let queueLimit = 8 << 20

  struct State: Sendable {
    var lanes = UploadLanes()
    var queuedBytes = 0
    var isPaused = false
    /// What went.
    var meter = TransferMeter()
    /// Bytes of leaves that went since the process began.
    var sent: UInt64 = 0

    /// What a reader does with the leaf that is next.
    mutating func turn(
      of reader: UploadLanes.ReaderID, _ rest: ChunkRequest, now: Instant
    ) -> Turn {
      if !lanes.begins(rest, reader, now: now) { return .ends }
      return queuedBytes >= Serving.queueLimit || lanes.givesWay(reader) ? .putsBack : .reads
    }
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
  var flows: (meter: TransferMeter, isPaused: Bool) { state.withLock { ($0.meter, $0.isPaused) } }

  /// The connection is lost: whoever still wants leaves asks again.
  func clear() {
    state.withLock { state in
      _ = state.lanes.takeAll()
      state.queuedBytes = 0
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
        metadata: ["path": "\(namespace.shownPath(of: .own(request.entry)))"])
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
    let begun = state.withLock { state in
      let hasRoom = state.queuedBytes < Self.queueLimit
      return hasRoom ? state.lanes.begin(now: MonotonicClock.now) : nil
    }
    guard let (reader, first) = begun else { return }
    let isAccepted = pool.submit { [self] in
      var next: ChunkRequest? = first
      while let request = next { next = goOn(reader, serve(request, reader), ends: false) }
    }
    if !isAccepted { _ = goOn(reader, first, ends: true) }
  }

  private func goOn(
    _ reader: UploadLanes.ReaderID, _ rest: ChunkRequest?, ends: Bool
  ) -> ChunkRequest? {
    state.withLock { state in
      state.lanes.goOn(
        reader, rest: rest, ends: ends || state.queuedBytes >= Self.queueLimit,
        now: MonotonicClock.now)
    }
  }
}
