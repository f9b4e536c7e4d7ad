package import Core
package import Protocol
import System

/// Pausing by path. Any thread, no lock held; not kept over a restart.
extension RemoteReading {
  /// What became of an order to pause.
  package enum PauseOutcome: Sendable {
    case paused
    case nothingThere
    /// Nothing is ever fetched for one's own file.
    case ownFile
  }

  /// What is paused now.
  package var pausedPaths: ChosenPaths { pauses.withLock { $0 } }

  /// Holds reads of others' files at a path and below it; nil: of all.
  package func pause(_ path: SharePath?) -> PauseOutcome {
    if let path {
      let isOwn = namespace.read { tree in
        tree.node(at: path).map { $0.own != nil && $0.kind != .directory }
      }
      guard let isOwn else { return .nothingThere }
      if isOwn { return .ownFile }
    }
    changePauses { $0.insert(path) }
    return .paused
  }

  /// Lets reads go on.
  package func resume(_ path: SharePath?) -> ChosenPaths.Removal {
    changePauses { $0.remove(path) }
  }

  /// A file was opened, or something moved: what is paused by its path may be another file now.
  func followPauses() {
    if pauses.withLock({ !$0.isEmpty }) { changePauses { _ in } }
  }

  /// A program closed a file, or was killed: what the kernel asked for on its behalf is not held
  /// for ever.
  func abandonPausedReads(of stream: StreamID) {
    step { fetcher, _, actions in fetcher.abandonPaused(stream, into: &actions) }
  }

  /// Changes what is paused and tells the fetcher, which of two changes the later one last.
  private func changePauses<Result>(_ body: (inout ChosenPaths) -> Result) -> Result {
    var actions: [FetchAction] = []
    let result = pauses.withLock { pauses in
      let result = body(&pauses)
      let opened = fetcher.withLock { $0.openEntries }
      let paused = namespace.read { tree in
        opened.filter { pauses.covers(tree.path(of: .other($0))) }
      }
      fetcher.withLock { $0.pause(paused, now: MonotonicClock.now, into: &actions) }
      return result
    }
    perform(actions)
    return result
  }
}
