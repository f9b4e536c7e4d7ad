/// Every message of the control plane. The names are the user's; `docs/protocol.md` has each field.
package enum Message: Equatable, Sendable {
  case hello(Hello)
  case refused(Refused)
  case masterAppRegister(Register)
  case masterAppRegisterAck(MasterRegisterAck)
  case clientRegister(Register)
  case clientRegisterAck(ClientRegisterAck)
  case newClientRegistered(ClientRecord)
  case bulkTickets(BulkTickets)
  case leave
  /// Hub to master: waiting clients that the hub no longer knows.
  case clientForgotten([PublicID])
  /// Master to hub: whom the list knows by which number and key.
  case clientTable(ClientTable)
  case approveClient(Decision)
  case disApproveClient(Decision)
  case clientApproved(Decision)
  case clientDisApproved(Decision)
  case groupKey(GroupKeyMessage)
  /// Master to everyone: how far the list has come.
  case listHead(ListHead)
  case addFiles(Proposal)
  case filesAdded(Ordered)
  case removeFile(Proposal)
  case fileRemoved(Ordered)
  case renameFile(Proposal)
  case fileRenamed(Ordered)
  case updateName(Proposal)
  case nameUpdated(Ordered)
  case clientReleased(Ordered)
  case serverNotReady(TransferID)
  case changeRefused(ChangeRefusal)
  case askFiles(ListQuestion)
  case filesPage(FilesPage)
  /// Hub to master: a member's message, with the member that the hub knows it is from.
  indirect case forwarded(from: PublicID, Message)
  /// Master to hub: a message for one member only.
  indirect case directed(to: PublicID, Message)
  /// Member to master: clients that it knows as out.
  case clientsOut(ClientsOut)
  case online([PublicID])
  case away([PublicID])
  case gone([PublicID])
  case requestChunk(ChunkRequest)
  case uploadChunkRequest(ChunkRequest)
  case chunkFailed(ChunkFailure)
  /// Member to hub: where it listens for other members, sealed.
  case tellAddresses([UInt8])
  /// Member to hub: where does this one listen?
  case askAddresses(PublicID)
  /// Hub to member: where another one listens.
  case addresses(ToldAddresses)

  package var opcode: Opcode {
    switch self {
    case .hello: .hello
    case .refused: .refused
    case .masterAppRegister: .masterAppRegister
    case .masterAppRegisterAck: .masterAppRegisterAck
    case .clientRegister: .clientRegister
    case .clientRegisterAck: .clientRegisterAck
    case .newClientRegistered: .newClientRegistered
    case .bulkTickets: .bulkTickets
    case .leave: .leave
    case .clientForgotten: .clientForgotten
    case .clientTable: .clientTable
    case .approveClient: .approveClient
    case .disApproveClient: .disApproveClient
    case .clientApproved: .clientApproved
    case .clientDisApproved: .clientDisApproved
    case .groupKey: .groupKey
    case .listHead: .listHead
    case .addFiles: .addFiles
    case .filesAdded: .filesAdded
    case .removeFile: .removeFile
    case .fileRemoved: .fileRemoved
    case .renameFile: .renameFile
    case .fileRenamed: .fileRenamed
    case .updateName: .updateName
    case .nameUpdated: .nameUpdated
    case .clientReleased: .clientReleased
    case .serverNotReady: .serverNotReady
    case .changeRefused: .changeRefused
    case .askFiles: .askFiles
    case .filesPage: .filesPage
    case .forwarded: .forwarded
    case .directed: .directed
    case .clientsOut: .clientsOut
    case .online: .online
    case .away: .away
    case .gone: .gone
    case .requestChunk: .requestChunk
    case .uploadChunkRequest: .uploadChunkRequest
    case .chunkFailed: .chunkFailed
    case .tellAddresses: .tellAddresses
    case .askAddresses: .askAddresses
    case .addresses: .addresses
    }
  }
}
