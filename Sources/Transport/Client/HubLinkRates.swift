import CWebSockets
import System

/// How fast the bulk streams are. Service thread only, but for `limit`.
extension HubLink {
  /// The least that a stream may be limited to: a frame has to be through long before its silence
  /// looks like an end.
  package static let lowestRate: UInt64 = 64 << 10

  /// Bounds what goes to the hub, and what comes from it, in bytes per second; nil: no limit. The
  /// control plane has none. Any thread.
  package func limit(up: UInt64?, down: UInt64?) {
    precondition([up, down].allSatisfy { $0.map { $0 >= Self.lowestRate } ?? true })
    loop.perform { [self] in
      upRate.bytesPerSecond = up
      downRate.bytesPerSecond = down
      goOn()
    }
  }

  /// So much has gone to the hub.
  func spentUp(_ bytes: Int) { upRate.spend(bytes, now: MonotonicClock.now) }

  /// Whether the upward stream is to wait; then it is called again.
  var upWaits: Bool {
    guard let wait = upRate.wait(now: MonotonicClock.now) else { return false }
    goOn(after: wait)
    return true
  }

  /// So much has come from the hub: perhaps nothing more is read for a while.
  func spentDown(_ bytes: Int, _ socket: OpaquePointer) {
    let now = MonotonicClock.now
    downRate.spend(bytes, now: now)
    guard let wait = downRate.wait(now: now) else { return }
    lws_rx_flow_control(socket, 0)
    goOn(after: wait)
  }

  private func goOn(after wait: Duration) {
    let at = MonotonicClock.now + wait
    if let due = rateDue, due <= at { return }
    rateDue = at
    rateTimer?.set(after: wait)
  }

  /// Streams that waited go on, as far as they may.
  func goOn() {
    rateDue = nil
    guard let session, session.failure == nil else { return }
    let now = MonotonicClock.now
    if let socket = session.upLeg?.socket {
      if let wait = upRate.wait(now: now) {
        goOn(after: wait)
      } else {
        lws_callback_on_writable(socket)
      }
    }
    if let socket = session.downLeg?.socket {
      if let wait = downRate.wait(now: now) {
        goOn(after: wait)
      } else {
        lws_rx_flow_control(socket, 1)
      }
    }
  }
}
