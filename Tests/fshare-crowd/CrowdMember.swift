import Hostile
import Protocol
import Sealing
import System
import Transport

/// One member of the crowd: a key, and what a member says and does while it is idle.
final class CrowdMember {
  /// How far it has come on its connection.
  enum Stage: Comparable {
    /// It has none.
    case away
    /// TCP, TLS and the upgrade are under way.
    case connecting
    /// It has a number, and waits to be let in.
    case waiting
    /// It has the group's key.
    case admitted
    /// It has what it lacked of the list.
    case live
  }

  /// How a connection ended.
  enum End {
    /// The hub said why.
    case refused(Refused)
    /// It closed the connection before it gave a number, and said nothing.
    case turnedAway
    /// Nobody is there, or nobody answered in time.
    case unreachable
    /// It was there, and is not any more.
    case lost
  }

  let index: Int
  let identity = DeviceIdentity()
  private let incarnation: Incarnation = SecureRandom.uint64()
  private let name: DeviceName
  private(set) var stage = Stage.away
  private(set) var publicID: PublicID?
  let sealer = Sealer()
  private var master: DeviceKey?
  private var questions: UInt64 = 0
  /// How far it has the list.
  var place: (cursor: ListCursor, mark: ListMark) = (.start, .none)

  /// When its last change was covered by the master's word.
  private(set) var heardAt: Duration?
  private var awaited: TransferID?
  private var heard: ListOrder?

  /// When it has to be connected, or connects again.
  var due: Duration?
  private var failures = 0
  private var refusal: Refused?
  private(set) var socket: CrowdSocket?
  private var pipe: TLSPipe?
  private var isUpgraded = false
  private var inbox: [UInt8] = []

  init(_ index: Int) {
    self.index = index
    guard let name = DeviceName("crowd \(index)") else { preconditionFailure("a short name") }
    self.name = name
  }

  /// As a member's own link gives a try.
  static let connectTime = TransportLimits().connectTime

  /// Begins to connect.
  func begin(_ hub: CrowdHub, now: Duration) throws(SystemError) {
    socket = try CrowdSocket(to: hub.port, from: index % hub.addresses)
    pipe = TLSPipe(hub.tls, protocol: "http/1.1")
    isUpgraded = false
    inbox = []
    refusal = nil
    stage = .connecting
    due = now + Self.connectTime
    _ = socket?.send(pipe?.takeOutput() ?? [])
  }

  /// Ends its connection, and has it come back after a while where it was not its own will.
  func end(now: Duration, isLate: Bool = false, comesBack: Bool) -> End {
    let end: End
    if let refusal {
      end = .refused(refusal)
    } else if stage != .connecting {
      end = .lost
    } else {
      end = isLate || socket?.isRefused == true ? .unreachable : .turnedAway
    }
    failures = stage >= .waiting ? 1 : failures + 1
    stage = .away
    socket = nil
    pipe = nil
    due = comesBack ? now + BackOff.delay(after: failures) : nil
    return end
  }

  /// Something came on its socket, or it takes more. Returns: false when the connection has ended.
  func ready(_ hub: CrowdHub, buffer: inout [UInt8]) -> Bool {
    guard let socket, let pipe else { return true }
    guard socket.flush() else { return false }
    while true {
      guard let count = socket.receive(into: &buffer) else { return false }
      if count == 0 { return true }
      let isWhole = buffer[..<count].withUnsafeBytes { bytes in
        (try? pipe.receive(bytes) { plain throws(TLSPipe.Broken) in inbox += plain }) != nil
      }
      guard isWhole else { return false }
      guard socket.send(pipe.takeOutput()), work(hub, pipe) else { return false }
    }
  }

  /// Says something to the master, sealed as it has to be.
  @discardableResult
  func say(_ message: Message) -> Bool {
    guard let publicID, let sealed = try? sealer.seal(message, from: publicID),
      let bytes = try? sealed.encoded()
    else { return false }
    return write(WebSocketFrame(kind: 2, payload: bytes).masked())
  }

  /// Says that it goes.
  func leave() {
    guard let bytes = try? Message.leave.encoded() else { return }
    _ = write(WebSocketFrame(kind: 2, payload: bytes).masked())
  }

  /// Has it note when it hears of a change.
  func await(_ transfer: TransferID) { (awaited, heard, heardAt) = (transfer, nil, nil) }

  /// Names what it proposes, or asks.
  func newTransfer() -> TransferID {
    questions += 1
    return TransferID(incarnation: incarnation, counter: questions)
  }

  private func write(_ bytes: [UInt8]) -> Bool {
    guard let pipe, let socket else { return false }
    return pipe.seal(bytes) && socket.send(pipe.takeOutput())
  }

  private func work(_ hub: CrowdHub, _ pipe: TLSPipe) -> Bool {
    guard pipe.isComplete else { return true }
    if !isUpgraded {
      isUpgraded = true
      return write(Array(WebSocketPeer.upgrade(to: "127.0.0.1:\(hub.port)").utf8))
    }
    if inbox.first == UInt8(ascii: "H") {
      guard let end = inbox.firstRange(of: Array("\r\n\r\n".utf8)) else { return true }
      guard inbox.starts(with: Array("HTTP/1.1 101".utf8)) else { return false }
      inbox.removeFirst(end.upperBound)
    }
    while let frame = WebSocketFrame.taken(from: &inbox) {
      switch frame.kind {
      case 2:
        guard let message = try? Message(decoding: frame.payload), received(message, hub) else {
          return false
        }
      case 8: return false
      case 9: if !write(WebSocketFrame(kind: 10, payload: frame.payload).masked()) { return false }
      default: break
      }
    }
    return true
  }

  private func received(_ message: Message, _ hub: CrowdHub) -> Bool {
    switch message {
    case .hello(let hello):
      let register = identity.register(
        asMaster: false, challenge: hello.challenge, channel: hub.key?.bytes ?? [],
        incarnation: incarnation, reached: sealer.generation, name: name, system: "crowd")
      guard let bytes = try? Message.clientRegister(register).encoded() else { return false }
      return write(WebSocketFrame(kind: 2, payload: bytes).masked())
    case .refused(let refused):
      refusal = refused
      return false
    case .clientRegisterAck(let ack):
      (publicID, master, stage, due) = (ack.publicID, ack.master, .waiting, nil)
    case .groupKey(let key):
      guard let master, let opened = KeyWrapping.unwrap(key, by: identity, from: master) else {
        return false
      }
      _ = sealer.use(opened)
      sealer.pair(.master, with: master, by: identity, isMaster: false)
    case .bulkTickets:
      stage = .admitted
      return hub.asks ? ask() : true
    case .online(let publicIDs) where publicIDs.contains(.master):
      // The master was away when it was asked.
      return hub.asks && stage == .admitted ? ask() : true
    case .filesPage: return took(message)
    case .filesAdded(let ordered) where ordered.transfer == awaited: heard = ordered.order
    case .listHead(let head):
      if let heard, heardAt == nil, head.order >= heard { heardAt = MonotonicClock.now }
    default: break
    }
    return true
  }

  private func ask() -> Bool {
    let cursor = ListCursor(
      order: place.cursor.order, offset: place.cursor.offset, began: place.cursor.began,
      question: newTransfer())
    place.cursor = cursor
    return say(.askFiles(ListQuestion(cursor: cursor, mark: place.mark)))
  }

  private func took(_ message: Message) -> Bool {
    guard let publicID,
      case .filesPage(let page)? = try? sealer.open(message, from: .master, as: publicID),
      let body = try? PageBody(decoding: page.body)
    else { return false }
    place = (page.next, body.head)
    if page.more { return ask() }
    stage = .live
    return true
  }
}

/// The hub of the crowd.
struct CrowdHub {
  let port: UInt16
  /// So many addresses of this machine's the crowd comes from.
  let addresses: Int
  let tls: ClientTLS
  /// The hub's TLS key.
  var key: Fingerprint?
  /// Whether who is in asks for the list.
  var asks = false
}
