import Core
import Protocol

/// What goes by a line, in order.
enum LineWord {
  /// Its sender is ready: the first that each end says.
  case ready
  case message([UInt8])
  case leaf([UInt8])
  /// What no key of the line opens, or no frame is.
  case garbage
  /// The other end has closed it.
  case end

  /// Bytes on the wire, for lines that are slow.
  var count: Int {
    switch self {
    case .ready, .garbage, .end: 32
    case .message(let bytes), .leaf(let bytes): bytes.count
    }
  }
}

/// Which of the two ends of a line.
enum LineSide: CaseIterable {
  case dialled
  case accepted

  var other: LineSide { self == .dialled ? .accepted : .dialled }
}

/// One end of a line, as its process and the wire see it.
struct LineEnd {
  /// Who is at this end, and in which run of its process.
  let peer: Peer
  let run: Incarnation
  /// Whom it takes the other end for, and the key that was shown.
  let other: PublicID
  let key: DeviceKey
  /// Whether the other end has said that it is ready.
  var isOpen = false
  /// Whether this end has done with it, or is doing so.
  var isGone = false
  var isEnding = false
  /// Whether nothing arrives here for now, and what waits until something does.
  var isStalled = false
  var held: [LineWord] = []
  /// When the last thing that is on its way to here arrives.
  var lastArrival: Instant = .zero

  init(_ peer: Peer, run: Incarnation, other: PublicID, key: DeviceKey) {
    self.peer = peer
    self.run = run
    self.other = other
    self.key = key
  }
}

/// One connection between two members.
final class Line {
  let id: LineID
  private var dialled: LineEnd
  private var accepted: LineEnd
  /// What is in flight is lost and nothing more arrives.
  var isCut = false
  /// Where it is slow.
  var bytesPerSecond: Int?

  init(id: LineID, dialled: LineEnd, accepted: LineEnd) {
    self.id = id
    self.dialled = dialled
    self.accepted = accepted
  }

  subscript(side: LineSide) -> LineEnd {
    get { side == .dialled ? dialled : accepted }
    set { if side == .dialled { dialled = newValue } else { accepted = newValue } }
  }

  /// The end of a process, if it has one.
  func side(of peer: Peer) -> LineSide? { LineSide.allCases.first { self[$0].peer == peer } }

  /// Whether something is on its way.
  func isBusy(_ now: Instant) -> Bool {
    dialled.lastArrival > now || accepted.lastArrival > now
  }
}
