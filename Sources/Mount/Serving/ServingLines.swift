package import Core
package import Protocol
package import Sealing
import System

/// Others that get leaves by lines of their own.
extension Serving {
  /// A line to another member that may ask for leaves.
  struct Line: Sendable {
    let peer: PublicID
    let seal: LineSeal
  }

  /// A line stands. Any thread, as the next.
  package func lineOpened(_ id: LineID, from peer: PublicID, _ seal: LineSeal) {
    lines.withLock { $0[id] = Line(peer: peer, seal: seal) }
    state.withLock { $0.queues.opened(id) }
  }

  /// It is gone: nobody waits for what was to go by it.
  package func lineClosed(_ id: LineID) {
    guard lines.withLock({ $0.removeValue(forKey: id) }) != nil else { return }
    state.withLock { state in
      state.lanes.drop(.line(id))
      state.queues.closed(.line(id))
    }
    run()
  }

  /// REQUEST_CHUNK by a line. Where others read the same, whoever asks is sent to the hub.
  package func requested(_ request: ChunkRequest, by id: LineID) {
    guard let peer = lines.withLock({ $0[id]?.peer }) else { return }
    let verdict = served.withLock {
      $0.wanted(request, by: .member(peer), now: MonotonicClock.now)
    }
    switch verdict {
    case .go: requested(Upload(request, by: .line(id)))
    case .hub(let time):
      let failure = ChunkFailure(
        request, reason: .shared, retryAfter: UInt32(clamping: Int64(time / .milliseconds(1))))
      group.uploadFailed(failure, by: .line(id))
    }
  }

  /// A whole frame around a leaf, and by what that can be known again. nil where `read` threw or
  /// gave too little, or nobody waits for it any more. Throws `.generation` where the group has
  /// another key by now.
  func sealed(
    _ key: LeafKey, of source: UploadSource, by way: ChunkWay,
    read: (UnsafeMutableRawBufferPointer, Int64) throws -> Int
  ) throws(SealFault) -> (frame: [UInt8], mark: LeafMark)? {
    let start = Int64(key.index << UInt64(key.scale))
    let length = source.length(of: key)
    switch way {
    case .hub:
      let frame = try sealer.frame(key, length: length) { try read($0, start) }
      return frame.map { ($0, LeafMark(of: $0, key: key)) }
    case .line(let id):
      guard let seal = lines.withLock({ $0[id]?.seal }) else { return nil }
      return seal.frame(key, length: length) { try read($0, start) }
    }
  }
}
