import System
import Testing

extension Adversity {
  /// Random operations of three members, on real mounts and in a model. `SEED` repeats a run,
  /// `STEPS` makes it longer.
  @Suite struct Model {
    /// S1 to S5, S13, S15 to S19, S27: everybody sees what the model says, and each refused
    /// operation has its error.
    @Test func membersAgreeWithTheModel() throws {
      let steps = Environment.get("STEPS").flatMap { Int($0) } ?? 1_000
      let seed =
        Environment.get("SEED").flatMap { UInt64($0) } ?? SecureRandom.uint64() % 1_000_000
      var generator = ModelGenerator(seed: seed)
      let operations = (0..<steps).map { _ in generator.operation(members: ModelRun.memberCount) }
      guard let failure = failure(of: operations, within: .seconds(20)) else { return }
      let (least, last) = shrink(operations, failure)
      let lines = least.map { "  \($0)" }.joined(separator: "\n")
      Issue.record("SEED=\(seed) STEPS=\(steps): \(failure)\nat least:\n\(lines)\n\(last)")
    }

    /// Why a run of these fails; nil where it does not.
    private func failure(
      of operations: [ModelOperation], within limit: Duration
    ) -> ModelFailure? {
      do {
        try withFixture(within: .seconds(600)) { fixture in
          var run = try ModelRun(fixture, within: limit)
          do { try run.perform(operations) } catch let failure as ModelFailure {
            throw Found(failure: failure)
          }
        }
        return nil
      } catch {
        return (error as? FailureWithLogs).map {
          ModelFailure(index: Found.index(in: $0.description), description: $0.description)
        } ?? ModelFailure(index: operations.count - 1, description: "\(error)")
      }
    }

    /// Leaves out what the failure does not need, for a while.
    private func shrink(
      _ operations: [ModelOperation], _ failure: ModelFailure
    ) -> ([ModelOperation], ModelFailure) {
      let end = MonotonicClock.now + .seconds(100)
      var least = Array(operations.prefix(failure.index + 1))
      var last = failure
      var width = max(1, least.count / 2)
      while MonotonicClock.now < end {
        var start = 0
        var isSmaller = false
        while start < least.count, MonotonicClock.now < end {
          var fewer = least
          fewer.removeSubrange(start..<min(start + width, least.count))
          if !fewer.isEmpty, let failure = self.failure(of: fewer, within: .seconds(2)) {
            least = Array(fewer.prefix(failure.index + 1))
            last = failure
            isSmaller = true
          } else {
            start += width
          }
        }
        if width == 1, !isSmaller { break }
        width = max(1, width / 2)
      }
      return (least, last)
    }
  }
}

/// A failure on its way through a fixture, which knows only text.
private struct Found: Error, CustomStringConvertible {
  let failure: ModelFailure
  var description: String { "step \(failure.index): \(failure.description)" }

  static func index(in text: String) -> Int {
    text.split(separator: " ").dropFirst().first.flatMap { Int($0.dropLast()) } ?? 0
  }
}
