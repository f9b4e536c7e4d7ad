import Core
import DequeModule
import Protocol

/// What the master wants done and may not do yet: the disk did not take what must be kept before
/// anybody is told.
///
/// The master itself has applied those changes already, so what follows must wait as well: whatever
/// it says next would tell of them. What comes in meanwhile does not reach it; proposals are
/// answered 'not ready', and come again.
struct MasterBacklog {
  /// Something that the hub said, for when the master hears again.
  typealias Input = @Sendable (inout Master, Instant, inout [MasterAction]) -> Void

  /// Inputs that are kept: a hub with so many clients that wait is asked for its table anew.
  private static let inputLimit = 4_096
  /// How often the disk is tried.
  private static let tryEvery: Duration = .seconds(1)

  /// Why nothing is told; nil where all is well.
  private(set) var trouble: String?
  /// The first is what the disk did not take.
  private var actions: Deque<MasterAction> = []
  private var inputs: Deque<Input> = []
  private var questions: [PublicID: ListQuestion] = [:]
  private var tryAt: Instant = .zero

  /// The disk did not take what `action` is to keep.
  mutating func begin(with action: MasterAction, _ trouble: String, now: Instant) {
    self.trouble = trouble
    actions.prepend(action)
    tryAt = now + Self.tryEvery
  }

  /// Keeps what the master wants done next. Returns: false where nothing is in its way.
  mutating func keeps(_ action: MasterAction) -> Bool {
    guard trouble != nil else { return false }
    actions.append(action)
    return true
  }

  /// Keeps what the hub said. `isTable`: whether it says all that was said before. Returns: false
  /// where there are too many, and the hub is to be asked for its table anew.
  mutating func keep(_ input: @escaping Input, isTable: Bool) -> Bool {
    if isTable { inputs.removeAll() }
    guard inputs.count < Self.inputLimit else { return false }
    inputs.append(input)
    return true
  }

  /// Keeps who asks for the list; an earlier question of the same member is void.
  mutating func keep(question: ListQuestion, from asker: PublicID) {
    questions[asker] = question
  }

  /// Whether it is time to try the disk again.
  mutating func isDue(now: Instant) -> Bool {
    guard trouble != nil, now >= tryAt else { return false }
    tryAt = now + Self.tryEvery
    return true
  }

  /// The next thing to do; nil where all was done.
  mutating func next() -> MasterAction? { actions.popFirst() }

  /// All was done: the master hears what was said meanwhile.
  mutating func end(_ master: inout Master, now: Instant, into actions: inout [MasterAction]) {
    trouble = nil
    while let input = inputs.popFirst() { input(&master, now, &actions) }
    for (asker, question) in questions.sorted(by: { $0.key < $1.key }) {
      _ = master.received(.askFiles(question), from: asker, now: now, into: &actions)
    }
    questions.removeAll()
  }
}
