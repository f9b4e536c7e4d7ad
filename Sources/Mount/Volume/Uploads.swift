import Core
import DequeModule
import Glibc
package import Protocol
package import Sealing
import System

/// What the hub asks us to upload: runs of leaves, served in order, but those that a program waits for now
/// before all others; no more of them read than the upward stream takes.
final class Uploads: Sendable {
  /// Bytes read and not yet taken by the stream at most.
  static let queueLimit = 8 << 20
  /// Leaves asked for and not yet read at most: more than a hub's credits can add up to.
  static let requestLimit = 262_144

  struct State: Sendable {
    var urgent: Deque<ChunkRequest> = []
    var requests: Deque<ChunkRequest> = []
    var leaves = 0
    var queuedBytes = 0
    var isRunning = false
    var isPaused = false
    /// What went.
    var meter = TransferMeter()

    var isEmpty: Bool { urgent.isEmpty && requests.isEmpty }

    mutating func add(_ request: ChunkRequest) {
      if request.isUrgent { urgent.append(request) } else { requests.append(request) }
      leaves += Int(request.count)
    }

    /// The next; nil where there is none, or no room for what it brings.
    mutating func next() -> ChunkRequest? {
      guard queuedBytes < Uploads.queueLimit, let request = urgent.popFirst() ?? requests.popFirst()
      else { return nil }
      leaves -= Int(request.count)
      return request
    }

    /// Puts back what is left of a run where there is no room for it, or something more urgent.
    mutating func takesBack(_ rest: ChunkRequest) -> Bool {
      if queuedBytes < Uploads.queueLimit, rest.isUrgent || urgent.isEmpty { return false }
      if rest.isUrgent { urgent.prepend(rest) } else { requests.prepend(rest) }
      leaves += Int(rest.count)
      return true
    }
  }

  let state = Locked(State())
  let sources = Locked(OpenSources())

  var queuedLeaves: Int { state.withLock { $0.leaves } }

  /// The connection is lost: whoever still wants them asks again.
  func clear() {
    state.withLock { state in
      state.urgent.removeAll()
      state.requests.removeAll()
      state.leaves = 0
      state.queuedBytes = 0
    }
  }
}

extension Volume {
  /// UPLOAD_CHUNK_REQUEST.
  package func uploadRequested(_ request: ChunkRequest, sealer: Sealer) {
    if uploadsArePaused { return refusePaused(request) }
    if servePromptly(request, sealer) { return }
    let isTaken = uploads.state.withLock { state -> Bool in
      guard state.leaves + Int(request.count) <= Uploads.requestLimit else { return false }
      state.add(request)
      return true
    }
    if isTaken {
      runUploads(sealer)
    } else {
      group.uploadFailed(ChunkFailure(request, reason: .busy, retryAfter: 1_000))
    }
  }

  /// The upward stream took bytes.
  package func uploadsTaken(bytes: Int, sealer: Sealer) {
    uploads.state.withLock { $0.queuedBytes = max(0, $0.queuedBytes - bytes) }
    runUploads(sealer)
  }

  /// One worker at a time reads: the leaves of one file leave in order.
  private func runUploads(_ sealer: Sealer) {
    let mayRun = uploads.state.withLock { state -> Bool in
      guard !state.isRunning, !state.isEmpty, state.queuedBytes < Uploads.queueLimit
      else { return false }
      state.isRunning = true
      return true
    }
    guard mayRun else { return }
    onDisk { [self] in
      while let request = nextUpload() { serve(request, sealer) }
    }
  }

  private func nextUpload() -> ChunkRequest? {
    uploads.state.withLock { state in
      let next = state.next()
      state.isRunning = next != nil
      return next
    }
  }

  /// Reads and sends a run; what has to wait goes back to the front.
  private func serve(_ request: ChunkRequest, _ sealer: Sealer) {
    guard let source = openSource(request) else { return }
    var offset: UInt32 = 0
    while offset < request.count {
      let rest = ChunkRequest(
        request.key(offset), count: request.count - offset, pastCache: request.pastCache)
      if uploadsArePaused { return refusePaused(rest) }
      if uploads.state.withLock({ $0.takesBack(rest) }) { return }
      let key = request.key(offset)
      let end = source.end(of: key)
      guard end > 0 else { return refuse(request, from: offset, .changed) }
      let frame: [UInt8]?
      do throws(SealFault) {
        frame = try source.frame(key, sealer) { buffer, start in
          try readFully(source.file, buffer, at: start)
        }
      } catch {
        // The group has another key by now, and the asker has it or gets it too.
        return refuse(request, from: offset, .stale)
      }
      if let failure = failure(of: source, upTo: end) {
        return refuse(request, from: offset, failure)
      }
      guard let frame else { return refuse(request, from: offset, .changed) }
      send(frame, key, of: source)
      offset += 1
    }
    if request.isUrgent { keepOpen(source) }
  }

  /// Gives a sealed leaf to the upward stream.
  func send(_ frame: [UInt8], _ key: LeafKey, of source: UploadSource) {
    uploads.state.withLock { state in
      state.queuedBytes += frame.count
      state.meter.note(key, bytes: source.length(of: key), now: MonotonicClock.now)
    }
    group.upload(frame)
  }

  /// Says why the rest of a run does not come.
  private func refuse(
    _ request: ChunkRequest, from offset: UInt32, _ reason: ChunkFailureReason
  ) {
    group.uploadFailed(
      ChunkFailure(
        ChunkRequest(request.key(offset), count: request.count - offset), reason: reason,
        retryAfter: reason == .busy ? 100 : 0))
  }

  /// What can be said of bytes of an own file.
  enum Standing {
    case asAnnounced
    case failed(ChunkFailureReason)
    /// The file is not as we left it.
    case changedByOthers
  }

  /// Opens what a request is about, if something of that version is still there; else says why not.
  private func openSource(_ request: ChunkRequest) -> UploadSource? {
    enum Found {
      case file(OwnPlace, size: UInt64, FileRecord?)
      case failure(ChunkFailureReason)
    }
    let found = tree.withLock { tree -> Found in
      guard let node = tree.node(of: request.entry), let own = node.own, node.kind == .file,
        let place = ownState(node, tree), let entry = node.entry,
        let size = own.history.size(of: request.version, entry)
      else { return .failure(.changed) }
      return own.operations > 0 ? .failure(.busy) : .file(place, size: size, own.record)
    }
    var reason = ChunkFailureReason.unreadable
    switch found {
    case .failure(let why): reason = why
    case .file(let place, let size, let record):
      if let file = try? openStaged(place, forReading: true) {
        let source = UploadSource(
          number: place.number, file: file, entry: request.entry, version: request.version,
          size: size, record: record)
        guard let failure = failure(of: source, upTo: 0) else { return source }
        reason = failure
      }
    }
    refuse(request, from: 0, reason)
    return nil
  }

  private func openStaged(
    _ place: OwnPlace, forReading: Bool
  ) throws(SystemError) -> OwnedDescriptor {
    if let staged = place.staged { return try folder.openStaged(staged, flags: O_RDONLY) }
    return try folder.open(place.path, flags: O_RDONLY)
  }

  /// Why the first `end` bytes of a source are not what was announced; nil where they are.
  private func failure(of source: UploadSource, upTo end: UInt64) -> ChunkFailureReason? {
    switch standing(of: source, upTo: end) {
    case .asAnnounced: return nil
    case .failed(let reason): return reason
    case .changedByOthers:
      lookAgain(at: source.number)
      return .changed
    }
  }

  func standing(of source: UploadSource, upTo end: UInt64) -> Standing {
    let stat = try? Stat(descriptor: source.file.raw)
    return tree.withLock { tree in
      guard let node = tree[source.number], let own = node.own, let entry = node.entry else {
        return .failed(.changed)
      }
      if own.operations > 0 { return .failed(.busy) }
      guard own.history.holds(source.version, upTo: end, entry) else { return .failed(.changed) }
      // While we write, or have just written, only we can say what has stayed.
      if !own.history.isSettled { return .asAnnounced }
      guard let stat else { return .failed(.unreadable) }
      if own.record == FileRecord(stat) { return .asAnnounced }
      return own.record == source.record ? .changedByOthers : .failed(.busy)
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
