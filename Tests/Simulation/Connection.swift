import Core
import Protocol

/// One control connection with the bulk streams that belong to it, as both ends and the wire see
/// it.
final class Connection {
  let id: SessionID
  let peer: Peer
  /// What is in flight is lost and nothing more arrives.
  var isCut = false
  var hubIsOpen = false
  var nodeIsOpen = true
  /// Counts the pairs of bulk streams that the hub gave tickets for; 0: none.
  var tickets = 0
  var bulkIsOpen = false
  /// Frames that wait for the downward stream to open.
  var held: [[UInt8]] = []
  /// Bytes of frames that the hub gave and the downward stream has not taken yet.
  var queuedDown = 0
  /// Who the hub says is at the other end.
  var publicID: PublicID?
  /// Since when.
  var registeredAt: Instant?
  /// Whether the hub reads nothing more of it, and what waits to be read.
  var isHeld = false
  var unread: [[UInt8]] = []
  /// Bytes of control messages that its other end does not take.
  var untaken = 0
  /// When the last thing on each way arrives: what follows arrives no earlier.
  var lastUp: Instant = .zero
  var lastDown: Instant = .zero
  var lastFrameUp: Instant = .zero
  var lastFrameDown: Instant = .zero

  /// What a hub that lies has made of the list for its other end.
  var lies = HubLies()

  init(id: SessionID, peer: Peer) {
    self.id = id
    self.peer = peer
  }
}

/// Who is at the other end of a connection with the hub, by its index.
enum Peer: Hashable, CustomStringConvertible {
  case node(Int)
  case liar(Int)

  var description: String {
    switch self {
    case .node(let index): "node \(index)"
    case .liar(let index): "liar \(index)"
    }
  }
}
