/// Something that a thread of its own works out while others go on.
package final class Background<Value: Sendable>: Sendable {
  private let outcome: Monitor<Result<Value, any Error>?>

  /// Begins, in a thread of that name.
  package init(
    name: String, _ work: @escaping @Sendable () throws -> Value
  ) throws(SystemError) {
    let outcome = Monitor<Result<Value, any Error>?>(nil)
    self.outcome = outcome
    _ = try Thread.start(name: name) {
      let result = Result { try work() }
      outcome.update { $0 = result }
    }
  }

  /// What came of it. Blocks until it is there. Throws what the work has thrown.
  package func value() throws -> Value { try outcome.wait { $0 }!.get() }
}
