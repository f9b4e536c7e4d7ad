import CWebSockets
import Protocol
import System

/// How fast the bulk streams are. Service thread only, but for `ratesChanged`.
extension HubLink {
  /// The rates of the bulk streams are others now. Any thread.
  package func ratesChanged() { loop.perform { [self] in goOn() } }

  /// So much has gone to the hub.
  func spentUp(_ bytes: Int) { rates.spend(up: bytes, now: MonotonicClock.now) }

  /// Whether the upward stream is to wait; then it is called again.
  var upWaits: Bool {
    guard let wait = rates.upWait(now: MonotonicClock.now) else { return false }
    goOn(after: wait)
    return true
  }

  /// So much has come from the hub: perhaps nothing more is read for a while.
  func spentDown(_ bytes: Int, _ socket: OpaquePointer) {
    let now = MonotonicClock.now
    rates.spend(down: bytes, now: now)
    guard let wait = rates.downWait(now: now) else { return }
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
      if let wait = rates.upWait(now: now) {
        goOn(after: wait)
      } else {
        lws_callback_on_writable(socket)
      }
    }
    if let socket = session.downLeg?.socket {
      if let wait = rates.downWait(now: now) {
        goOn(after: wait)
      } else {
        lws_rx_flow_control(socket, 1)
      }
    }
  }
}
