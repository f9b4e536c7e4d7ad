import Core
import DequeModule
import Glibc
import Logging
package import Protocol
package import Sealing
import System

/// What the hub asks us to upload (`UploadLanes`); no more of it read than the upward stream takes.
final class Uploads: Sendable {
  /// Bytes read and not yet taken by the stream at most.
  static let queueLimit = 8 << 20

  struct State: Sendable {
    var lanes = UploadLanes()
    var queuedBytes = 0
    var isPaused = false
    /// What went.
    var meter = TransferMeter()
    /// What was sealed with last.
    var sealer: Sealer?

    /// What a reader does with the leaf that is next.
    mutating func turn(
      of reader: UploadLanes.ReaderID, _ rest: ChunkRequest, now: Instant
    ) -> Turn {
      if !lanes.begins(rest, reader, now: now) { return .ends }
      return queuedBytes >= Uploads.queueLimit || lanes.givesWay(reader) ? .putsBack : .reads
    }
  }

  enum Turn {
    case reads
    /// There is no room for it, or something more urgent.
    case putsBack
    /// Nobody waits for it any more.
    case ends
  }

  let state = Locked(State())
  let sources = Locked(OpenSources())
  /// The readers: as many as may be stuck and as get on. Of their own: what is stuck keeps no other
  /// disk work waiting.
  let pool: WorkerPool

  init() throws(SystemError) {
    pool = try WorkerPool(
      name: "uploads", threads: 1, queueLimit: UploadLanes.readerLimit + UploadLanes.stuckLimit,
      spare: UploadLanes.readerLimit + UploadLanes.stuckLimit, patience: .zero)
  }

  var queuedLeaves: Int { state.withLock { $0.lanes.leaves } }

  /// The connection is lost: whoever still wants them asks again.
  func clear() {
    state.withLock { state in
      _ = state.lanes.takeAll()
      state.queuedBytes = 0
    }
  }
}

extension Volume {
  /// UPLOAD_CHUNK_REQUEST.
  package func uploadRequested(_ request: ChunkRequest, sealer: Sealer) {
    if uploadsArePaused { return refusePaused(request) }
    if servePromptly(request, sealer) { return }
    let device = tree.withLock { $0.node(of: request.entry)?.own?.record?.device }
    let isTaken = uploads.state.withLock { $0.lanes.add(request, device: device) }
    guard isTaken else { return refuseStuck(request) }
    runUploads(sealer)
  }

  /// The upward stream took bytes.
  package func uploadsTaken(bytes: Int, sealer: Sealer) {
    uploads.state.withLock { $0.queuedBytes = max(0, $0.queuedBytes - bytes) }
    runUploads(sealer)
  }

  /// Time has passed: readers that are stuck are given up, others take their place.
  func tickUploads() {
    let now = MonotonicClock.now
    let (refused, sealer) = uploads.state.withLock { ($0.lanes.giveUp(now: now), $0.sealer) }
    for request in refused {
      budget.log(
        .warning, "files that do not answer",
        "a file of one's own cannot be read: its disk does not answer; whoever reads it waits",
        metadata: ["path": "\(shownPath(of: .own(request.entry)))"])
      refuseStuck(request)
    }
    if let sealer { runUploads(sealer) }
    uploads.pool.relieve()
  }

  /// Begins a reader where one is wanted.
  private func runUploads(_ sealer: Sealer) {
    let begun = uploads.state.withLock { state in
      state.sealer = sealer
      let hasRoom = state.queuedBytes < Uploads.queueLimit
      return hasRoom ? state.lanes.begin(now: MonotonicClock.now) : nil
    }
    guard let (reader, first) = begun else { return }
    let isAccepted = uploads.pool.submit { [self] in
      var next: ChunkRequest? = first
      while let request = next { next = goOn(reader, serve(request, reader, sealer), ends: false) }
    }
    if !isAccepted { _ = goOn(reader, first, ends: true) }
  }

  private func goOn(
    _ reader: UploadLanes.ReaderID, _ rest: ChunkRequest?, ends: Bool
  ) -> ChunkRequest? {
    uploads.state.withLock { state in
      state.lanes.goOn(
        reader, rest: rest, ends: ends || state.queuedBytes >= Uploads.queueLimit,
        now: MonotonicClock.now)
    }
  }

  /// Reads and sends a run. Returns: what of it has to wait.
  private func serve(
    _ request: ChunkRequest, _ reader: UploadLanes.ReaderID, _ sealer: Sealer
  ) -> ChunkRequest? {
    guard let source = openSource(request, reader) else { return nil }
    var offset: UInt32 = 0
    while offset < request.count {
      let rest = ChunkRequest(
        request.key(offset), count: request.count - offset, pastCache: request.pastCache)
      if uploadsArePaused {
        refusePaused(rest)
        return nil
      }
      switch uploads.state.withLock({ $0.turn(of: reader, rest, now: MonotonicClock.now) }) {
      case .reads: break
      case .putsBack: return rest
      case .ends: return nil
      }
      if let failure = upload(request.key(offset), of: source, sealer, by: reader) {
        refuse(rest, failure, by: reader)
        return nil
      }
      offset += 1
    }
    if request.isUrgent { keepOpen(source) }
    return nil
  }

  /// Reads a leaf, checks it and sends it. Returns: why it does not come.
  private func upload(
    _ key: LeafKey, of source: UploadSource, _ sealer: Sealer, by reader: UploadLanes.ReaderID
  ) -> ChunkFailureReason? {
    let end = source.end(of: key)
    guard end > 0 else { return .changed }
    let frame: [UInt8]?
    var fault: SystemError?
    do throws(SealFault) {
      frame = try source.frame(key, sealer) { buffer, start in
        do throws(SystemError) { return try readFully(source.file, buffer, at: start) } catch {
          fault = error
          throw error
        }
      }
    } catch {
      // The group has another key by now, and the asker has it or gets it too.
      return .stale
    }
    if let fault { return cannotRead(key.entry, fault) }
    // Noted before it is checked: whoever finds out what was sent must know of it by then.
    if let frame { sent.withLock { $0.note(LeafMark(of: frame, key: key)) } }
    if let failure = failure(of: source, upTo: end) { return failure }
    guard let frame else { return .changed }
    // One that was given up was answered.
    if !uploads.state.withLock({ $0.lanes.isGivenUp(reader) }) { send(frame, key, of: source) }
    return nil
  }

  /// Gives a sealed leaf to the upward stream.
  func send(_ frame: [UInt8], _ key: LeafKey, of source: UploadSource) {
    uploads.state.withLock { state in
      state.queuedBytes += frame.count
      state.meter.note(key, bytes: source.length(of: key), now: MonotonicClock.now)
    }
    group.upload(frame)
  }

  /// Says why what is left of a run does not come.
  private func refuse(
    _ rest: ChunkRequest, _ reason: ChunkFailureReason, by reader: UploadLanes.ReaderID
  ) {
    if uploads.state.withLock({ $0.lanes.isGivenUp(reader) }) { return }
    group.uploadFailed(
      ChunkFailure(rest, reason: reason, retryAfter: reason == .busy ? 100 : 0))
  }

  /// Says that a run does not come now: there is too much, or its file does not answer.
  private func refuseStuck(_ request: ChunkRequest) {
    group.uploadFailed(
      ChunkFailure(request, reason: .busy, retryAfter: UploadLanes.askAgainAfter))
  }

  /// Opens what a request is about, if something of that version is still there; else says why not.
  private func openSource(_ request: ChunkRequest, _ reader: UploadLanes.ReaderID) -> UploadSource?
  {
    enum Found {
      case file(OwnPlace, size: UInt64, FileRecord?, touches: UInt64)
      case failure(ChunkFailureReason)
    }
    let found = tree.withLock { tree -> Found in
      guard let node = tree.node(of: request.entry), let own = node.own, node.kind == .file,
        let place = ownState(node, tree), let entry = node.entry,
        let size = own.history.size(of: request.version, entry)
      else { return .failure(foldersToScan == nil ? .changed : .busy) }
      return own.operations > 0
        ? .failure(.busy) : .file(place, size: size, own.record, touches: own.touches)
    }
    var reason = ChunkFailureReason.unreadable
    switch found {
    case .failure(let why): reason = why
    case .file(let place, let size, let record, let touches):
      do throws(SystemError) {
        let source = UploadSource(
          file: try openToServe(place), entry: request.entry, version: request.version, size: size,
          record: record, touches: touches)
        guard let failure = failure(of: source, upTo: 0) else { return source }
        reason = failure
      } catch {
        reason = cannotRead(request.entry, error)
        if reason == .changed { lookAgain(at: place.number) }
      }
    }
    refuse(request, reason, by: reader)
    return nil
  }

  private func openToServe(_ place: OwnPlace) throws(SystemError) -> OwnedDescriptor {
    if let staged = place.staged { return try folder.openStaged(staged, flags: O_RDONLY) }
    return try folder.openContent(place.path, flags: O_RDONLY)
  }

  /// What an asker hears of a file that cannot be opened or read. Where it is the disk's or the
  /// system's fault, its owner hears it too.
  private func cannotRead(_ entry: EntryID, _ error: SystemError) -> ChunkFailureReason {
    let reason = Self.reason(error)
    if reason == .unreadable {
      budget.log(
        .error, "own files that cannot be read",
        "a file of one's own cannot be read; whoever reads it gets an error",
        metadata: ["path": "\(shownPath(of: .own(entry)))", "why": "\(error)"])
    }
    return reason
  }

  private static func reason(_ error: SystemError) -> ChunkFailureReason {
    switch error.code {
    // It was moved, removed or replaced by something else a moment ago.
    case ENOENT, ENOTDIR, ELOOP, ESTALE, EXDEV: .changed
    // Another program's lease, or too many files open at the moment.
    case EAGAIN, EMFILE, ENFILE, ENOMEM: .busy
    default: .unreadable
    }
  }
}

/// Fills the buffer from an open file; fewer bytes only at its end.
private func readFully(
  _ file: OwnedDescriptor, _ buffer: UnsafeMutableRawBufferPointer, at offset: Int64
) throws(SystemError) -> Int {
  var count = 0
  while count < buffer.count {
    let start = count
    // SAFETY: the range lies within the buffer.
    let got = try retryingOnInterrupt("read") {
      pread(file.raw, buffer.baseAddress! + start, buffer.count - start, off_t(offset) + start)
    }
    if got == 0 { break }
    count += got
  }
  return count
}
