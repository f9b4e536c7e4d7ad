import Core
import Protocol
import System

/// Pausing of uploads. Any thread, no lock held; not kept over a restart.
extension Serving {
  /// Milliseconds after which whoever wants a leaf asks again while uploads are paused.
  private static let askAgainAfter: UInt32 = 1_000

  /// Whether uploads are paused.
  package var isPaused: Bool { state.withLock { $0.isPaused } }

  /// Answers all who want leaves of ours that we are busy, until uploads are resumed.
  /// Returns: whether that is a change.
  package func pause(_ isPaused: Bool) -> Bool {
    let (isChange, refused) = state.withLock { state -> (Bool, [Upload]) in
      let isChange = state.isPaused != isPaused
      state.isPaused = isPaused
      if isPaused { return (isChange, state.lanes.takeAll()) }
      if isChange { state.meter.goOn(now: MonotonicClock.now) }
      return (isChange, [])
    }
    for request in refused { refusePaused(request) }
    return isChange
  }

  /// Says that a run does not come now because uploads are paused.
  func refusePaused(_ request: Upload) {
    group.uploadFailed(
      ChunkFailure(request.run, reason: .busy, retryAfter: Self.askAgainAfter), by: request.way)
  }
}
