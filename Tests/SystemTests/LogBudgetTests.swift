import Logging
import System
import Testing

/// A log that strangers cannot write full.
struct LogBudgetTests {
  private let seen = Locked<[String]>([])
  private let budget: LogBudget

  init() {
    let seen = seen
    let log = Logger(label: "test") { _ in RecordingLog(seen: seen) }
    budget = LogBudget(log, lines: 2, span: .seconds(10))
  }

  private var lines: [String] { seen.withLock { $0 } }

  private func say(_ kind: String, _ text: String, at second: Int) {
    budget.log(.warning, kind, "\(text)", now: .seconds(second))
  }

  @Test func `what is beyond the budget is counted, and said when the while is over`() {
    for number in 0..<5 { say("floods", "flood \(number)", at: 1) }
    budget.tick(now: .seconds(10))
    #expect(lines == ["flood 0", "flood 1"])
    budget.tick(now: .seconds(11))
    budget.tick(now: .seconds(30))
    #expect(lines == ["flood 0", "flood 1", "floods: and 3 more like this"])
    say("floods", "again", at: 31)
    #expect(lines.last == "again")
  }

  @Test func `the next line of the kind says it too`() {
    for number in 0..<3 { say("floods", "flood \(number)", at: 1) }
    say("floods", "later", at: 12)
    #expect(lines == ["flood 0", "flood 1", "floods: and 1 more like this", "later"])
  }

  @Test func `kinds do not take each other's budget`() {
    for number in 0..<3 { say("floods", "flood \(number)", at: 1) }
    say("others", "other", at: 1)
    budget.tick(now: .seconds(60))
    #expect(lines == ["flood 0", "flood 1", "other", "floods: and 1 more like this"])
  }

  @Test func `what the level leaves out is not counted`() {
    for _ in 0..<9 { budget.log(.debug, "details", "detail", now: .seconds(1)) }
    budget.tick(now: .seconds(60))
    #expect(lines.isEmpty)
  }
}

/// Writes down what is logged.
private struct RecordingLog: LogHandler {
  let seen: Locked<[String]>
  var logLevel = Logger.Level.info
  var metadata: Logger.Metadata = [:]

  init(seen: Locked<[String]>) { self.seen = seen }

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) { seen.withLock { $0.append(event.message.description) } }
}
