import Core
import Mount
import Protocol
import System

/// What a long list takes no more than once.
extension GroupSession {
  /// Changes after which a master's own list has become another than the master's, in memory.
  private static let changesUntilShared: UInt64 = 512
  private static let shareEvery: Duration = .seconds(5)
  /// Changes under way of which much memory is left over.
  private static let manyChanges = 1_000

  /// When memory was last saved, and what is to be saved next.
  struct MemoryNotes {
    fileprivate var sharedAt: Instant = .zero
    fileprivate var sharedSeq: UInt64 = 0
    /// Whether much was in memory for a while.
    var wasBusy = false
  }

  /// Time has passed. The master and the mount share the list of the master's own member; what was
  /// needed for much at once goes back to the system.
  func saveMemory(now: Instant) {
    let isDone = state.withLock { state -> Bool in
      let notes = state.memory
      if now >= notes.sharedAt + Self.shareEvery, let order = state.master?.replica.order,
        order.seq &- notes.sharedSeq >= Self.changesUntilShared
      {
        state.memory.sharedAt = now
        if state.master!.share(state.member.replica) {
          state.memory.sharedSeq = order.seq
          state.work.append(.list([], state.member.view))
        }
      }
      if state.member.pendingChanges > Self.manyChanges { state.memory.wasBusy = true }
      guard state.memory.wasBusy, state.member.pendingChanges == 0, state.work.isEmpty else {
        return false
      }
      state.memory.wasBusy = false
      return true
    }
    if isDone { volume.giveBackMemory() }
    drain()
  }
}
