import System
import Testing

/// Gives a suite a thread of its own. Swift runs tests on as many threads as there are cores, and
/// one that waits for a process holds its thread meanwhile: on two cores the simulation and one
/// test that waits would be all that goes on.
struct Lane: SuiteTrait, TestScoping {
  /// Around the suite as a whole, not around each of its tests.
  var isRecursive: Bool { false }

  func provideScope(
    for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
  ) async throws {
    let thread = try LaneThread()
    defer { thread.end() }
    try await withTaskExecutorPreference(thread) { try await function() }
  }
}

extension Trait where Self == Lane {
  /// The suite's tests run on a thread that nothing else runs on.
  static var lane: Lane { Lane() }
}

/// A thread that runs the jobs of one lane, one after the other.
private final class LaneThread: TaskExecutor {
  private struct State {
    var jobs: [UnownedJob] = []
    var isEnding = false
  }

  private let state = Monitor(State())

  init() throws {
    _ = try Thread.start(name: "lane") { [self] in run() }
  }

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    state.update { $0.jobs.append(job) }
  }

  /// Nothing comes any more; what is there is done.
  func end() { state.update { $0.isEnding = true } }

  private func run() {
    while true {
      let next = state.wait { state -> UnownedJob?? in
        if !state.jobs.isEmpty { return .some(state.jobs.removeFirst()) }
        return state.isEnding ? .some(nil) : nil
      }
      guard let job = next ?? nil else { return }
      job.runSynchronously(on: asUnownedTaskExecutor())
    }
  }
}
