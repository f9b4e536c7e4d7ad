import Core
import Protocol

/// One thing that happens at its time.
enum Event {
  /// The workload does its next step.
  case step
  case nodeConnects(Int)
  /// The hub takes a connection.
  case opened(SessionID)
  case toHub(SessionID, [UInt8])
  case toNode(SessionID, [UInt8])
  case hubSeesEnd(SessionID)
  case nodeSeesEnd(SessionID)
  /// Both bulk streams that the tickets with this number allow are open.
  case bulkOpens(SessionID, tickets: Int)
  case frameToHub(SessionID, tickets: Int, [UInt8])
  case frameToNode(SessionID, tickets: Int, [UInt8])
  case hubTick
  case nodeTick(Int)
  case hubStarts
  case nodeStarts(Int)
  /// The process that began as this incarnation has been through its own folder.
  case nodeHasScanned(Int, Incarnation)
  /// Everybody reads something of everybody; then all that shows.
  case readSome
  case readEverything
  case liarConnects(Int)
  case liarActs(Int)
  /// Nothing goes wrong any more but what liars say: honest requests must be answered.
  case probe
  case liarsFallSilent
  /// An address of a dial answers, by its number; the next is tried; nothing came of it in time.
  case dialAnswered(UInt64, LineTarget)
  case dialGoesOn(UInt64)
  case dialEnds(UInt64)
  case lineWord(LineID, LineSide, LineWord)
  /// Some of what is on its way on a slow line.
  case lineBytes(LineID, LineSide)
  case lineGone(LineID, LineSide)
  case lineGoesOn(LineID)
  case lineFault
  /// A node looks at which addresses its machine has.
  case addressesLookedAt(Int)
}

/// Events in the order of their times; those of one time in the order in which they were put in.
struct EventQueue {
  private struct Item {
    let at: Instant
    let number: UInt64
    let event: Event
    static func < (a: Item, b: Item) -> Bool {
      a.at == b.at ? a.number < b.number : a.at < b.at
    }
  }

  private var heap: [Item] = []
  private var counter: UInt64 = 0

  /// When the next event is due.
  var next: Instant? { heap.first?.at }

  mutating func put(_ event: Event, at instant: Instant) {
    counter += 1
    heap.append(Item(at: instant, number: counter, event: event))
    var index = heap.count - 1
    while index > 0, heap[index] < heap[(index - 1) / 2] {
      heap.swapAt(index, (index - 1) / 2)
      index = (index - 1) / 2
    }
  }

  mutating func pop() -> (at: Instant, event: Event)? {
    guard let first = heap.first else { return nil }
    let last = heap.removeLast()
    if heap.isEmpty { return (first.at, first.event) }
    heap[0] = last
    var index = 0
    while true {
      var least = index
      for child in [2 * index + 1, 2 * index + 2] where child < heap.count {
        if heap[child] < heap[least] { least = child }
      }
      if least == index { break }
      heap.swapAt(index, least)
      index = least
    }
    return (first.at, first.event)
  }
}
