package import Core
import Glibc
import Logging
package import Protocol
import Sealing
import System

/// A run of leaves that somebody wants.
extension Serving {
  /// UPLOAD_CHUNK_REQUEST.
  package func requested(_ request: ChunkRequest) {
    // Who reads the same is asked for only where somebody has a line.
    if lines.withLock({ !$0.isEmpty }) {
      _ = served.withLock { $0.wanted(request, by: .hub, now: MonotonicClock.now) }
    }
    requested(Upload(request))
  }

  /// Somebody wants leaves, by some way.
  func requested(_ request: Upload) {
    if isPaused { return refusePaused(request) }
    if servePromptly(request) { return }
    let device = namespace.read { $0.node(of: request.run.entry)?.own?.record?.device }
    let isTaken = state.withLock { $0.lanes.add(request, device: device) }
    guard isTaken else { return refuseStuck(request) }
    run()
  }

  /// The stream of a way took bytes.
  package func taken(bytes: Int, by way: ChunkWay = .hub) {
    state.withLock { state in
      state.queues.take(bytes, from: way)
      state.noteQueued(way)
    }
    run()
  }

  /// Reads and sends a run. Returns: what of it has to wait.
  func serve(
    _ request: Upload, _ reader: UploadLanes.ReaderID
  ) -> Upload? {
    guard let source = openSource(request, reader) else { return nil }
    var offset: UInt32 = 0
    while offset < request.run.count {
      let rest = request.dropFirst(offset)
      if isPaused {
        refusePaused(rest)
        return nil
      }
      switch state.withLock({ $0.turn(of: reader, rest, now: MonotonicClock.now) }) {
      case .reads: break
      case .putsBack: return rest
      case .ends: return nil
      }
      if let failure = upload(request.run.key(offset), of: source, to: request.way, by: reader) {
        refuse(rest, failure, by: reader)
        return nil
      }
      offset += 1
    }
    if request.run.isUrgent { keepOpen(source) }
    return nil
  }

  /// Reads a leaf, checks it and sends it. Returns: why it does not come.
  private func upload(
    _ key: LeafKey, of source: UploadSource, to way: ChunkWay, by reader: UploadLanes.ReaderID
  ) -> ChunkFailureReason? {
    let end = source.end(of: key)
    guard end > 0 else { return .changed }
    let leaf: (frame: [UInt8], mark: LeafMark)?
    var fault: SystemError?
    do throws(SealFault) {
      leaf = try sealed(key, of: source, by: way) { buffer, start in
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
    if let leaf { files.noteSent(leaf.mark) }
    if let failure = failure(of: source, upTo: end) { return failure }
    guard let leaf else { return .changed }
    // One that was given up was answered.
    if !state.withLock({ $0.lanes.isGivenUp(reader) }) { send(leaf.frame, key, of: source, way) }
    return nil
  }

  /// Gives a sealed leaf to the stream of a way.
  func send(_ frame: [UInt8], _ key: LeafKey, of source: UploadSource, _ way: ChunkWay) {
    state.withLock { state in
      state.queues.add(frame.count, to: way)
      state.noteQueued(way)
      let (bytes, now) = (source.length(of: key), MonotonicClock.now)
      state.meter.note(key, bytes: bytes, now: now)
      state.sent += UInt64(bytes)
      if way != .hub { state.directMeter.note(key, bytes: bytes, now: now) }
    }
    group.upload(frame, by: way)
  }

  /// Says why what is left of a run does not come.
  private func refuse(
    _ rest: Upload, _ reason: ChunkFailureReason, by reader: UploadLanes.ReaderID
  ) {
    if state.withLock({ $0.lanes.isGivenUp(reader) }) { return }
    group.uploadFailed(
      ChunkFailure(rest.run, reason: reason, retryAfter: reason == .busy ? 100 : 0), by: rest.way)
  }

  /// Says that a run does not come now: there is too much, or its file does not answer.
  func refuseStuck(_ request: Upload) {
    group.uploadFailed(
      ChunkFailure(request.run, reason: .busy, retryAfter: UploadLanes.askAgainAfter),
      by: request.way)
  }

  /// Opens what a request is about, if something of that version is still there; else says why not.
  private func openSource(_ upload: Upload, _ reader: UploadLanes.ReaderID) -> UploadSource? {
    let request = upload.run
    enum Found {
      case file(OwnPlace, size: UInt64, FileRecord?, touches: UInt64)
      case failure(ChunkFailureReason)
    }
    let found = namespace.read { tree -> Found in
      guard let node = tree.node(of: request.entry), let own = node.own, node.kind == .file,
        let place = OwnPlace(node, tree), let entry = node.entry,
        let size = own.history.size(of: request.version, entry)
      else { return .failure(rescans.isStarting ? .busy : .changed) }
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
        if reason == .changed { rescans.lookAgain(at: place.number) }
      }
    }
    refuse(upload, reason, by: reader)
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
        metadata: ["path": "\(namespace.shownPath(of: .own(entry)))", "why": "\(error)"])
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
