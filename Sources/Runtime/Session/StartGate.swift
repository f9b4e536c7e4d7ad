import Core
import Glibc
import Protocol
package import Sealing
import System
import Transport

/// Turns what the group says into what the start of the program comes to.
package final class StartGate: Sendable {
  /// What a start comes to.
  package enum Outcome: Sendable {
    case ready
    case ended
    case failed(Ending)
  }

  private struct State {
    var outcome: Outcome?
    var isEnding = false
    /// Whether the network was joined, or is about to be.
    var hasJoined = false
    /// Why the program must end although it runs: displaced, refused.
    var ending: Ending?
    var hasReached = false
    var firstFailure: Instant?
    var lastLine: String?
  }

  /// How long an unreachable hub is tried at the start.
  static let patience: Duration = .seconds(10)
  private let state = Monitor(State())

  package init() {}

  /// Why the program must end although it runs.
  package var ending: Ending? { state.withLock { $0.ending } }
  /// Whether it is known what the start has come to.
  package var isDecided: Bool { state.withLock { $0.outcome != nil } }
  /// Whether the program is to end.
  package var isEnding: Bool { state.withLock { $0.isEnding } }

  /// The network is joined from now on: who ends has to leave it.
  package func join() { state.update { $0.hasJoined = true } }

  /// A signal asks the program to end. Returns: whether it is to end in order. Not so before the
  /// network is joined, when nothing is owed to anybody yet, and where it was asked before.
  package func end() -> Bool {
    state.update { state in
      let isFirst = !state.isEnding
      state.isEnding = true
      state.outcome = state.outcome ?? .ended
      return isFirst && state.hasJoined
    }
  }

  /// Waits for the outcome; `limit`: for so long, then it goes on without. Blocks.
  package func wait(atMost limit: Duration? = nil) -> Outcome {
    guard let limit else { return state.wait { $0.outcome } ?? .ended }
    if let outcome = state.wait(timeout: limit, for: { $0.outcome }) { return outcome }
    goOn()
    return state.wait { $0.outcome } ?? .ended
  }

  /// The start waits no longer, unless it has come to something already.
  package func goOn() { state.update { $0.outcome = $0.outcome ?? .ready } }

  /// Notes an event. `waits`: whether the start waits for the group, so that failures end it.
  /// `words`: of this device's key. Returns: a line for the user, where there is something new to
  /// say.
  package func heard(_ event: GroupEvent, waits: Bool, words: KeyWords) -> String? {
    state.update { state in
      let line = Self.note(event, waits: waits, words, in: &state)
      guard let line, line != state.lastLine else { return nil }
      state.lastLine = line
      return line
    }
  }

  private static func note(
    _ event: GroupEvent, waits: Bool, _ words: KeyWords, in state: inout State
  ) -> String? {
    switch event {
    case .ready:
      state.outcome = state.outcome ?? .ready
      return state.lastLine == nil ? nil : "live"
    case .phase(let phase, let publicID):
      // The master's own member is live without a hub; everyone else's registers first.
      if phase != .disconnected, phase != .live { state.hasReached = true }
      return note(phase, publicID, waits: waits, words, in: &state)
    case .linkFailed(let failure): return note(failure, waits: waits, in: &state)
    case .refused(let refused):
      note(refused, waits: waits, in: &state)
      return nil
    case .protocolError(let what):
      if waits, !isReady(state) {
        fail(.protocolMismatch, what, in: &state)
        return nil
      }
      return what
    case .displacedAnother:
      return "another process with this device's private id was running; it has been ended"
    case .firstContact(let hub, let master): return firstContact(hub, master)
    case .untrusted(let ending):
      fail(ending, in: &state)
      return nil
    }
  }

  private static func firstContact(_ hub: Fingerprint?, _ master: Fingerprint?) -> String? {
    let keys = [hub.map { "the hub's key is \($0)" }, master.map { "the master's key is \($0)" }]
    let known = keys.compactMap { $0 }
    if known.isEmpty { return nil }
    return "first contact: \(known.joined(separator: ", ")); remembered from now on"
  }

  private static func isReady(_ state: State) -> Bool {
    if case .ready? = state.outcome { true } else { false }
  }

  private static func note(
    _ phase: MemberPhase, _ publicID: PublicID?, waits: Bool, _ words: KeyWords,
    in state: inout State
  ) -> String? {
    let number = publicID.map { "\($0)" } ?? "?"
    switch phase {
    case .waiting:
      return "waiting for approval: this device is client \(number), its words: \(words); "
        + "on the master run: fsharectl approve \(number) --words \"\(words)\""
    case .synchronising:
      return isReady(state) ? nil : "approved as client \(number): taking the list"
    case .disapproved:
      let line =
        "the master has disapproved this device (client \(number)): ask whoever runs the master "
        + "to let it in again: fsharectl approve \(number)"
      if waits, !isReady(state) {
        fail(.refused, line, in: &state)
        return nil
      }
      return line
    default: return nil
    }
  }

  private static func note(
    _ failure: LinkFailure, waits: Bool, in state: inout State
  ) -> String? {
    // Why it ends is said already; that the connection is closed then is no news.
    if state.ending != nil { return nil }
    guard waits, !isReady(state), !state.hasReached else { return "connecting: \(failure)" }
    if case .notAHub = failure {
      fail(.protocolMismatch, "\(failure)", in: &state)
      return nil
    }
    if case .unknownHost = failure {
      fail(.unreachable, "\(failure)", in: &state)
      return nil
    }
    let now = MonotonicClock.now
    let first = state.firstFailure ?? now
    state.firstFailure = first
    if now - first >= patience {
      fail(.unreachable, "\(failure)", in: &state)
    }
    return nil
  }

  private static func note(_ refused: Refused, waits: Bool, in state: inout State) {
    switch refused.code {
    case .displaced: fail(.displaced, refused.reason, in: &state)
    case .notTheMaster, .badProof, .claimNeeded: fail(.refused, refused.reason, in: &state)
    case .disapproved, .tooManyClients, .protocolError:
      if waits, !isReady(state) { fail(.refused, refused.reason, in: &state) }
    }
  }

  private static func fail(_ code: ExitCode, _ text: String, in state: inout State) {
    fail(Ending(code, text), in: &state)
  }

  private static func fail(_ ending: Ending, in state: inout State) {
    state.ending = state.ending ?? ending
    state.isEnding = true
    state.outcome = state.outcome ?? .failed(ending)
  }
}
