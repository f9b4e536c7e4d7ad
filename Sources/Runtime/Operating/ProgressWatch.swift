package import Logging
package import System

/// Looks again and again whether what could hang gets on with its work, and tells the service
/// manager so; where it does not, the manager hears nothing, and ends and starts the program.
///
/// Each look asks those that do the work. It is made on a thread of its own: one that hangs in a
/// look, since a lock is not given back, tells nobody anything either.
package final class ProgressWatch: Sendable {
  /// Says what is wrong; nil where all is well. `now`: monotonic.
  package typealias Look = @Sendable (_ now: Duration) -> String?

  private struct State {
    var trouble: String?
    var lookedAt: Duration
    var isStopping = false
  }

  /// How long one that was asked may take, beyond any pause that a busy machine makes.
  package static let patience: Duration = .seconds(10)
  /// How often is looked where somebody asks how the program does.
  private static let lookEvery: Duration = .seconds(1)
  /// Nor oftener than this, whatever the manager wants: looking would be all that is done.
  private static let lookAtMostEvery: Duration = .milliseconds(10)

  private let state: Monitor<State>
  private let every: Duration
  private let looks: [Look]
  private let notifier: ServiceNotifier
  private let log: Logger
  private let thread = Locked<JoinableThread?>(nil)

  /// `limit`: within which time the service manager wants to hear of progress; nil where it does
  /// not.
  package init(
    _ looks: [Look], limit: Duration?, notifier: ServiceNotifier, log: Logger
  ) {
    self.looks = looks
    self.notifier = notifier
    self.log = log
    every = max(Self.lookAtMostEvery, min(Self.lookEvery, limit.map { $0 / 4 } ?? Self.lookEvery))
    state = Monitor(State(lookedAt: MonotonicClock.now))
  }

  /// Begins to look. Once.
  package func start() throws(SystemError) {
    let started = try Thread.start(name: "watch") { [self] in run() }
    thread.withLock { $0 = started }
  }

  /// Ends it. One that hangs in a look is left to the end of the process.
  package func stop() { state.update { $0.isStopping = true } }

  /// What is wrong; nil where all is well. Any thread, never blocks for long.
  package var trouble: String? {
    let (trouble, at) = state.withLock { ($0.trouble, $0.lookedAt) }
    let silence = MonotonicClock.now - at
    if silence > Self.patience + every {
      return "a look at its state has taken \(silence.components.seconds) s: it hangs"
    }
    return trouble
  }

  private func run() {
    while true {
      let now = MonotonicClock.now
      let found = looks.lazy.compactMap { $0(now) }.first
      let before = state.withLock { state in
        defer {
          state.trouble = found
          state.lookedAt = MonotonicClock.now
        }
        return state.trouble
      }
      if let found, before == nil { log.critical("\(found)") }
      if found == nil {
        if before != nil { log.notice("it gets on again") }
        notifier.watchdog()
      }
      let ends = state.wait(timeout: every) { $0.isStopping ? true : nil }
      if ends == true { return }
    }
  }
}
