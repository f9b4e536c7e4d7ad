import Core
import DequeModule
import Protocol
import System

/// One step of the list on its way into the tree.
struct ArrivingStep: Sendable {
  /// nil: where there are others, everything may have changed.
  var deltas: [ListDelta]? = []
  /// What others have as of then; nil where that stays as it is.
  var others: ListView?
  /// Where the list is complete by it: which word on that this is.
  var completes: UInt64?
}

/// Changes of others that are not in the tree yet, in their order.
struct ArrivingChanges: Sendable {
  /// How long the kernel may take to forget before a change is made all the same.
  private static let patience: Duration = .milliseconds(200)

  private var waiting: Deque<ArrivingStep> = []
  /// The one that is being made.
  private var current: ArrivingStep?
  private var number: UInt64 = 0
  /// Counts the words on what can be shown of the list: only the latest counts.
  private(set) var standings: UInt64 = 0
  /// What is still to forget for the current one, and until when that is waited for.
  private var forgetting = 0
  private var overdue: Duration?

  mutating func add(_ step: ArrivingStep) { waiting.append(step) }

  /// What can be shown changes: at once, or, where the list is complete, behind all that waits.
  mutating func note(_ standing: ListStanding) {
    standings += 1
    if standing == .complete { waiting.append(ArrivingStep(completes: standings)) }
  }

  /// The next one to make; nil while one is being made.
  mutating func begin() -> (number: UInt64, step: ArrivingStep)? {
    guard current == nil, let next = waiting.popFirst() else { return nil }
    current = next
    number += 1
    return (number, next)
  }

  /// The current one waits for `count` words that the kernel has forgotten something.
  mutating func wait(for count: Int, now: Duration) {
    forgetting = count
    overdue = now + Self.patience
  }

  /// One such word came. Returns: what can be made now.
  mutating func forgot(_ number: UInt64) -> ArrivingStep? {
    guard number == self.number, overdue != nil else { return nil }
    forgetting -= 1
    return forgetting == 0 ? takePrepared() : nil
  }

  /// What has waited for too long.
  mutating func takeOverdue(now: Duration) -> ArrivingStep? {
    overdue.map { now >= $0 } == true ? takePrepared() : nil
  }

  /// When `takeOverdue` finds something.
  var nextDeadline: Duration? { overdue }

  /// The current one was made.
  mutating func end() { current = nil }

  private mutating func takePrepared() -> ArrivingStep? {
    overdue = nil
    return current
  }
}
