import Hostile
import Protocol

/// One message of each kind.
extension AuthorisationScene {
  /// A message that makes sense, whoever says it.
  func message(_ opcode: Opcode) throws -> Message {
    let decision = Self.decision(waiter.publicID)
    let proposal = Proposal(transfer: Self.transfer, oldest: 1, body: [1])
    let ordered = Ordered(
      order: ListOrder(epoch: 1, seq: 9), sender: witness.publicID, transfer: Self.transfer,
      body: [1])
    switch opcode {
    case .hello:
      return .hello(
        Hello(challenge: [UInt8](repeating: 1, count: 32)))
    case .refused: return .refused(Refused(code: .displaced, reason: "go away"))
    case .masterAppRegister:
      return .masterAppRegister(
        try speaking.registration(by: master.identity, asMaster: true))
    case .clientRegister: return .clientRegister(try speaking.registration(asMaster: false))
    case .masterAppRegisterAck:
      return .masterAppRegisterAck(MasterRegisterAck(clients: [], isLast: true))
    case .clientRegisterAck:
      return .clientRegisterAck(
        ClientRegisterAck(publicID: waiter.publicID, admission: .approved))
    case .newClientRegistered: return .newClientRegistered(try record())
    case .bulkTickets:
      let half = [UInt8](repeating: 1, count: BulkTickets.length)
      return .bulkTickets(BulkTickets(down: half, up: half))
    case .leave: return .leave
    case .clientForgotten: return .clientForgotten([witness.publicID])
    case .clientTable:
      return .clientTable(ClientTable(records: [], highest: PublicID(1), isLast: true))
    case .approveClient: return .approveClient(decision)
    case .disApproveClient: return .disApproveClient(decision)
    case .clientApproved: return .clientApproved(decision)
    case .clientDisApproved: return .clientDisApproved(decision)
    case .groupKey:
      return .groupKey(
        GroupKeyMessage(publicID: witness.publicID, generation: 1, wrapped: [1]))
    case .listHead: return .listHead(ListHead(order: ListOrder(epoch: 1, seq: 9), body: [1]))
    case .addFiles: return .addFiles(proposal)
    case .filesAdded: return .filesAdded(ordered)
    case .removeFile: return .removeFile(proposal)
    case .fileRemoved: return .fileRemoved(ordered)
    case .renameFile: return .renameFile(proposal)
    case .fileRenamed: return .fileRenamed(ordered)
    case .updateName: return .updateName(proposal)
    case .nameUpdated: return .nameUpdated(ordered)
    case .clientReleased: return .clientReleased(ordered)
    case .serverNotReady: return .serverNotReady(Self.transfer)
    case .changeRefused: return .changeRefused(ChangeRefusal(Self.transfer, .impossible))
    case .askFiles: return .askFiles(ListQuestion(cursor: .start, mark: .none))
    case .clientsOut: return .clientsOut(ClientsOut(body: [1]))
    case .filesPage:
      return .filesPage(
        FilesPage(after: .start, next: .start, more: false, restarts: false, body: [1]))
    case .forwarded: return .forwarded(from: witness.publicID, .addFiles(proposal))
    case .directed: return .directed(to: witness.publicID, .serverNotReady(Self.transfer))
    case .online: return .online([witness.publicID])
    case .away: return .away([witness.publicID])
    case .gone: return .gone([witness.publicID])
    case .requestChunk: return .requestChunk(request(of: witness.publicID))
    case .uploadChunkRequest: return .uploadChunkRequest(request(of: witness.publicID))
    case .chunkFailed:
      return .chunkFailed(ChunkFailure(request(of: speaking.publicID), reason: .changed))
    case .tellAddresses: return .tellAddresses([1])
    case .askAddresses: return .askAddresses(witness.publicID)
    case .addresses:
      return .addresses(ToldAddresses(publicID: witness.publicID, seen: "", sealed: [1]))
    }
  }

  /// A decision about a client.
  static func decision(_ publicID: PublicID) -> Decision {
    Decision(order: ListOrder(epoch: 1, seq: 1), publicID: publicID, body: [])
  }

  /// A request for a leaf.
  func request(of owner: PublicID) -> ChunkRequest {
    ChunkRequest(
      owner: owner, entry: RandomID(high: 1, low: 1), version: RandomID(high: 1, low: 2),
      scale: Limits.leafScale, generation: 1, first: 0, count: 1, pastCache: false)
  }

  private func record() throws -> ClientRecord {
    let register = try speaking.registration(asMaster: false)
    return ClientRecord(
      publicID: PublicID(99), key: register.key, name: register.name, system: register.system,
      admission: .waiting, presence: .online)
  }
}
