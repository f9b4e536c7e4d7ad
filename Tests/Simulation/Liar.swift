import Core
import Protocol

/// A client that says whatever the types allow, let in or not, and knows all that there is to know.
final class Liar {
  /// What it says most.
  enum Habit: CaseIterable {
    case proposing
    case copying
    case asking
    case fetching
    case serving
    case nonsense
    case coming
    case deaf
    case dialling
  }

  let index: Int
  let key: DeviceKey
  /// Whether it is never let in.
  let isStranger: Bool
  let habit: Habit
  /// The latest of its connections.
  var session: SessionID?
  var incarnation: Incarnation
  var counter: UInt64 = 0
  /// What it said to the master, and when, the latest last.
  var said: [(at: Duration, message: Message)] = []
  /// Entries that it proposed, the latest last.
  var entries: [Entry] = []
  /// What it was asked to upload.
  var asked: [ChunkRequest] = []
  /// Whether it reads what the hub says.
  var listens = true
  /// Whether its downward stream takes anything.
  var takesLeaves = true

  /// What it remembers of its own words.
  private static let memory = 24

  init(index: Int, isStranger: Bool, habit: Habit, incarnation: Incarnation) {
    self.index = index
    self.isStranger = isStranger
    self.habit = habit
    self.incarnation = incarnation
    // Nobody honest has so high a number.
    key = DeviceKey(number: UInt8(200 + index))
  }

  func remember(_ message: Message, at now: Duration) {
    said.append((now, message))
    if said.count > Self.memory { said.removeFirst() }
  }

  func remember(_ proposed: [Entry]) {
    entries += proposed.prefix(4)
    if entries.count > Self.memory { entries.removeFirst(entries.count - Self.memory) }
  }
}
