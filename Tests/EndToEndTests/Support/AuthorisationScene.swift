import Hostile
import Protocol
import System

/// A hub with one peer of every kind, one of which says something: what the hub makes of it is told
/// by what the others hear.
struct AuthorisationScene {
  let master: RegisteredPeer
  /// Approved; says nothing of itself.
  let witness: RegisteredPeer
  /// Waits; says nothing of itself.
  let waiter: RegisteredPeer
  private let speaker: Speaker
  let speaking: RegisteredPeer
  static let transfer = TransferID(incarnation: 1, counter: 1)

  init(_ hub: HubProcess, _ speaker: Speaker) throws {
    self.speaker = speaker
    master = try RegisteredPeer(to: hub.address).registerAsMaster(claim: hub.claim())
    witness = try RegisteredPeer(to: hub.address).registerAsClient()
    waiter = try RegisteredPeer(to: hub.address).registerAsClient()
    try master.send(.approveClient(Self.decision(witness.publicID)))
    switch speaker {
    case .nobody: speaking = try RegisteredPeer(to: hub.address)
    case .master: speaking = master
    case .waiting: speaking = try RegisteredPeer(to: hub.address).registerAsClient()
    case .approved, .disapproved:
      speaking = try RegisteredPeer(to: hub.address).registerAsClient()
      try master.send(.approveClient(Self.decision(speaking.publicID)))
      try speaking.openDown(with: speaking.receive { $0.opcode == .bulkTickets })
      _ = try speaking.receiveAll()
      if speaker == .disapproved {
        try master.send(.disApproveClient(Self.decision(speaking.publicID)))
        try speaking.receive { $0.opcode == .clientDisApproved }
      }
    }
    try witness.openDown(with: witness.receive { $0.opcode == .bulkTickets })
    try master.openDown(with: master.receiveAll())
    _ = try witness.receiveAll()
  }

  /// Has the speaker say it. Throws where the hub does what no word in the table stands for.
  func treatment(of opcode: Opcode) throws -> Treatment {
    if opcode == .chunkFailed {
      // Somebody waits for the leaf that the speaker then says does not come.
      try witness.send(.requestChunk(request(of: speaking.publicID)))
      _ = try witness.receiveAll()
      _ = try master.receiveAll()
    }
    try speaking.send(try message(opcode))
    let answers = answers(to: opcode)
    var heard: [Message] = []
    // A second master with the same key takes the first one's place.
    let isDisplaced = speaker == .nobody && opcode == .masterAppRegister
    if speaker != .master, !isDisplaced { heard += try master.receiveAll() }
    heard += try witness.receiveAll()
    try waiter.send(.leave)
    heard += waiter.receiveToTheEnd()
    heard.removeAll { [.online, .away, .gone].contains($0.opcode) }

    if case .refused(let refused)? = answers.last {
      guard refused.code == .protocolError, heard.isEmpty, answers.count == 1 else {
        throw NeverHappened(description: "refused with \(answers), others heard \(heard)")
      }
      return .refused
    }
    if hasEffect(opcode, answers, heard) { return .allowed }
    guard heard.isEmpty, answers.isEmpty else {
      throw NeverHappened(description: "answered with \(answers), others heard \(heard)")
    }
    return .ignored
  }

  /// What the speaker hears; the last is REFUSED where the hub refuses.
  private func answers(to opcode: Opcode) -> [Message] {
    let goesOn = speaker == .approved || speaker == .master
    if goesOn, opcode != .leave { return speaking.receiveWhatCame().messages }
    // Behind what it said: a connection that stays ends with this, and one that was refused has
    // ended.
    try? speaking.send(.leave)
    return speaking.receiveToTheEnd()
  }

  /// Whether what the message is for has happened.
  private func hasEffect(_ opcode: Opcode, _ answers: [Message], _ heard: [Message]) -> Bool {
    let message = try? message(opcode)
    switch opcode {
    case .masterAppRegister: return answers.first?.opcode == .masterAppRegisterAck
    case .clientRegister: return answers.first?.opcode == .clientRegisterAck
    // The end of the connection is its effect, and it was awaited.
    case .leave: return true
    case .approveClient:
      return heard.contains(.clientApproved(Self.decision(waiter.publicID)))
    case .disApproveClient:
      return heard.contains(.clientDisApproved(Self.decision(waiter.publicID)))
    case .directed: return heard == [.serverNotReady(Self.transfer)]
    // What the hub has is what it is told: nobody hears of it.
    case .clientTable: return speaker == .master
    case .addFiles, .removeFile, .renameFile, .updateName, .askFiles, .clientsOut:
      return message.map { heard == [.forwarded(from: speaking.publicID, $0)] } ?? false
    case .tellAddresses: return [.approved, .master].contains(speaker)
    case .askAddresses:
      return answers == [
        .addresses(ToldAddresses(publicID: witness.publicID, seen: "127.0.0.1", sealed: []))
      ]
    case .requestChunk:
      return heard == [.uploadChunkRequest(request(of: witness.publicID))]
    default: return message.map { heard == [$0] } ?? false
    }
  }
}
