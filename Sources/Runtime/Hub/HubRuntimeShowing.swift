import Core
import CoreMetrics
import Glibc
import System
import Transport

/// What the hub shows of itself: how it does, and what it counts.
extension HubRuntime {
  /// What the service thread leaves for others to see.
  struct Shown: Sendable {
    /// Why the registry is behind; nil where it is as it should be.
    var registryTrouble: String?
    /// Whether anybody wants to see the figures.
    var isWatched = false
    var figures = HubFigures()
    var connections = 0
    var strangers = 0
    var at: Instant = .zero
  }

  /// How often what there is to count is counted: it takes a look at every client.
  private static let showEvery: Duration = .seconds(1)

  /// Shows what there is to count, where somebody wants to see it. Service thread.
  func show() {
    let now = MonotonicClock.now
    guard shown.withLock({ $0.isWatched && now - $0.at >= Self.showEvery }) else { return }
    let figures = hub.figures
    let (connections, strangers) = (server?.connectionCount ?? 0, server?.strangerCount ?? 0)
    shown.withLock { shown in
      (shown.figures, shown.connections, shown.strangers) = (figures, connections, strangers)
      shown.at = now
    }
  }

  /// Why it is not well; nil where it is. Any thread; asks the disk.
  package var trouble: String? {
    if let waits = shown.withLock({ $0.registryTrouble }) { return "registry: \(waits)" }
    let path = HubRegistry.path(in: stateFolder)
    // Whether it could be written, also where there is nothing to write now.
    guard access(path.cPath, W_OK) == 0 else { return "registry: \(SystemError(path))" }
    return nil
  }

  /// What the service thread must answer, or it hangs.
  package var pulse: LoopPulse {
    LoopPulse(name: "the hub's service loop") { [weak self] answer in
      self?.server?.perform(answer)
    }
  }

  /// Has the figures counted, for `/metrics`.
  package func beginShowing() { shown.withLock { $0.isWatched = true } }

  /// Brings the meters up to date. Any thread.
  package func measure() {
    let shown = shown.withLock { $0 }
    meters.show(shown.figures, connections: shown.connections, strangers: shown.strangers)
    meters.registryIsWritable.set(trouble == nil ? 1 : 0)
  }
}
