import Glibc
import System

/// A condition that did not come true in time.
struct NeverHappened: Error, CustomStringConvertible {
  /// What was waited for, and what was seen last.
  let description: String
}

/// How long a condition may take on a busy machine.
let patience = Duration.seconds(30)

/// Waits until `condition` answers true. Throws `NeverHappened`, naming the last error if the
/// condition threw one.
func eventually(
  _ what: String, within limit: Duration = patience, _ condition: () throws -> Bool
) throws {
  let _: Bool = try eventuallySome(what, within: limit) { try condition() ? true : nil }
}

/// Waits until `find` answers something, and answers it.
func eventuallySome<Result>(
  _ what: String, within limit: Duration = patience, _ find: () throws -> Result?
) throws -> Result {
  let deadline = MonotonicClock.now + limit
  while true {
    var last = "it was not so"
    do {
      if let result = try find() { return result }
    } catch {
      last = "\(error)"
    }
    guard MonotonicClock.now < deadline else {
      throw NeverHappened(description: "not within \(limit): \(what) (\(last))")
    }
    pauseBriefly()
  }
}

/// Checks that `condition` holds now and at every look for the time given.
func throughout(
  _ what: String, _ time: Duration, _ condition: () throws -> Bool
) throws {
  let end = MonotonicClock.now + time
  repeat {
    guard try condition() else { throw NeverHappened(description: "did not stay so: \(what)") }
    pauseBriefly()
  } while MonotonicClock.now < end
}

/// Looks all the time, without a pause, until `look` answers true; what it throws ends that.
func lookUntil(_ what: String, _ look: () throws -> Bool) throws {
  let deadline = MonotonicClock.now + patience
  while try !look() {
    if MonotonicClock.now >= deadline {
      throw NeverHappened(description: "not within \(patience): \(what)")
    }
  }
}

/// How long `body` took.
func timed<Result>(_ body: () throws -> Result) rethrows -> (Result, Duration) {
  let start = MonotonicClock.now
  let result = try body()
  return (result, MonotonicClock.now - start)
}

/// The distance of two looks at a condition.
private func pauseBriefly() { _ = poll(nil, 0, 15) }
