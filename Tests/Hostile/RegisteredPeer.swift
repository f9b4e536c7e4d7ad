package import Protocol
package import Sealing
import System

/// A peer of a test's own making that has a real key, and registers with it.
package final class RegisteredPeer {
  package let identity: DeviceIdentity
  package let peer: WebSocketPeer
  private let hello: Hello
  private let incarnation: Incarnation = SecureRandom.uint64()
  /// The hub's answer to the registration.
  package private(set) var publicID = PublicID.master
  /// The master's key, as the hub says it.
  package private(set) var master: DeviceKey?
  private let hub: String
  /// Its bulk streams, once they are open.
  package private(set) var down: Socket?
  package private(set) var up: Socket?

  /// Connects; says nothing yet.
  package init(to hub: String, identity: DeviceIdentity = DeviceIdentity()) throws {
    self.identity = identity
    self.hub = hub
    peer = try WebSocketPeer(to: hub)
    hello = try peer.receiveHello()
  }

  /// Registers as a client, and waits for the answer.
  package func registerAsClient() throws -> Self {
    try send(.clientRegister(registration(asMaster: false)))
    guard case .clientRegisterAck(let ack) = try next() else {
      throw PeerFault("no CLIENT_REGISTER_ACK")
    }
    publicID = ack.publicID
    master = ack.master
    return self
  }

  /// Registers as the master, with the claim code if there is one, waits for the answer, and tells
  /// that it knows of no client.
  package func registerAsMaster(claim: [UInt8] = []) throws -> Self {
    try send(.masterAppRegister(registration(asMaster: true, claim: claim)))
    guard case .masterAppRegisterAck = try next() else {
      throw PeerFault("no MASTER_APP_REGISTER_ACK")
    }
    // Before that a hub without a registry gives nobody a number.
    try send(.clientTable(ClientTable(records: [], highest: .master, isLast: true)))
    return self
  }

  /// A registration on this connection that proves this peer's key, or another.
  package func registration(
    by other: DeviceIdentity? = nil, asMaster: Bool, claim: [UInt8] = []
  ) throws -> Register {
    guard let name = DeviceName("peer") else { throw PeerFault("no name") }
    let identity = other ?? identity
    let proof = ClaimProof.make(
      code: claim, challenge: hello.challenge, channel: [], key: identity.key)
    return identity.register(
      asMaster: asMaster, challenge: hello.challenge, channel: [], incarnation: incarnation,
      name: name, system: "test", claim: claim.isEmpty ? [] : proof)
  }

  /// Opens the downward stream with tickets that came among `messages`; without it nobody uploads
  /// anything for this peer.
  package func openDown(with messages: [Message]) throws {
    for case .bulkTickets(let tickets) in messages {
      down = try open("GET /bulk/down", tickets.down)
      let head = try down!.receiveHead()
      guard head.hasPrefix("HTTP/1.1 200") else { throw PeerFault(head) }
    }
  }

  /// The same of the upward stream.
  package func openUp(with messages: [Message]) throws {
    for case .bulkTickets(let tickets) in messages {
      up = try open("POST /bulk/up", tickets.up)
    }
  }

  private func open(_ request: String, _ ticket: [UInt8]) throws -> Socket {
    let hex = ticket.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    let socket = try Socket.connected(to: hub)
    try socket.send(
      Array("\(request) HTTP/1.1\r\nHost: hub\r\nAuthorization: Bearer \(hex)\r\n\r\n".utf8))
    return socket
  }

  package func send(_ message: Message) throws { try peer.send(message) }

  /// The next message.
  package func next() throws -> Message { try Message(decoding: try peer.receive()) }

  /// What comes up to and with the message that `isLast` answers true for.
  @discardableResult
  package func receive(until isLast: (Message) -> Bool) throws -> [Message] {
    var messages: [Message] = []
    repeat { messages.append(try next()) } while !isLast(messages[messages.count - 1])
    return messages
  }

  /// What comes until the hub ends the connection.
  package func receiveToTheEnd() -> [Message] {
    var messages: [Message] = []
    while let bytes = try? peer.receive() {
      guard let message = try? Message(decoding: bytes) else { break }
      messages.append(message)
    }
    return messages
  }

  /// What the hub has sent to an approved peer by now, and whether the connection is still there:
  /// the hub is asked something that it answers at once.
  package func receiveWhatCame() -> (messages: [Message], isOpen: Bool) {
    let nonsense = ChunkRequest(
      owner: PublicID(.max), entry: .zero, version: .zero, scale: Limits.leafScale,
      generation: .max, first: SecureRandom.uint64() >> 32, count: 1, pastCache: false)
    let echo = Message.chunkFailed(ChunkFailure(nonsense, reason: .denied))
    try? send(.requestChunk(nonsense))
    var messages: [Message] = []
    while let message = try? next() {
      if message == echo { return (messages, true) }
      messages.append(message)
    }
    return (messages, false)
  }

  /// The same of a connection that must still be there.
  package func receiveAll() throws -> [Message] {
    let (messages, isOpen) = receiveWhatCame()
    guard isOpen else { throw PeerFault("the hub ended it: \(messages)") }
    return messages
  }
}
