import Core
import Logging
import Mount
import Protocol
import System
import Transport

extension GroupSession {
  /// Leaves the network: unanswered changes get a moment to be answered, then LEAVE. Whoever still
  /// waits for anything is answered. Once; again only waits until it is done, so that nobody ends
  /// the process before LEAVE is out. Blocks; not on a thread of the link or the mount.
  package func leave() {
    departure.withLock { hasLeft in
      if !hasLeft { leaveOnce() }
      hasLeft = true
    }
  }

  private func leaveOnce() {
    let end = MonotonicClock.now + .seconds(3)
    let pause = Monitor(())
    while MonotonicClock.now < end, hasUnanswered {
      _ = pause.wait(timeout: Self.tickEvery) { _ -> Bool? in nil }
    }
    state.withLock { $0.isLeaving = true }
    send(.leave)
    link?.disconnect()
    while MonotonicClock.now < end + .seconds(1), state.withLock({ $0.isConnected }) {
      _ = pause.wait(timeout: .milliseconds(10)) { _ -> Bool? in nil }
    }
    link?.stop()
    direct?.stop()
    let waits = state.withLock { state in
      defer { state.waits.removeAll() }
      return Array(state.waits.values)
    }
    for wait in waits { wait(.masterAway) }
    volume.reading.left()
    keeper?.stop()
    do throws(SystemError) { try journal?.close() } catch {
      log.error("cannot end the journal cleanly: \(error)")
    }
  }

  private var hasUnanswered: Bool {
    state.withLock { state in
      state.isConnected && state.member.phase == .live && state.member.masterIsPresent
        && state.member.pendingChanges > 0
    }
  }
}
