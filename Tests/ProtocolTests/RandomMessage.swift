import Protocol

extension TestGenerator {
  /// A random message with this opcode.
  mutating func message(_ opcode: Opcode) -> Message {
    switch opcode {
    case .hello, .refused, .masterAppRegister, .masterAppRegisterAck, .clientRegister,
      .clientRegisterAck, .newClientRegistered, .bulkTickets, .leave, .clientForgotten,
      .clientTable,
      .groupKey:
      connecting(opcode)
    case .approveClient: .approveClient(decision())
    case .disApproveClient: .disApproveClient(decision())
    case .clientApproved: .clientApproved(decision())
    case .clientDisApproved: .clientDisApproved(decision())
    case .addFiles: .addFiles(proposal())
    case .filesAdded: .filesAdded(ordered())
    case .removeFile: .removeFile(proposal())
    case .fileRemoved: .fileRemoved(ordered())
    case .renameFile: .renameFile(proposal())
    case .fileRenamed: .fileRenamed(ordered())
    case .updateName: .updateName(proposal())
    case .nameUpdated: .nameUpdated(ordered())
    case .clientReleased: .clientReleased(ordered())
    case .serverNotReady: .serverNotReady(transfer())
    case .changeRefused: .changeRefused(ChangeRefusal(transfer: transfer(), body: bytes(64)))
    case .listHead:
      HeadProof(
        order: order(), history: history(), beat: transfer(),
        version: UInt16(truncatingIfNeeded: next()),
        signature: bytes(MemberRecord.signatureLength)
      ).message
    case .askFiles: .askFiles(ListQuestion(cursor: cursor(), mark: mark()))
    case .filesPage:
      .filesPage(
        FilesPage(
          after: cursor(), next: cursor(), more: below(2) == 0, restarts: below(2) == 0,
          body: bytes(upTo: 60)))
    case .forwarded: .forwarded(from: publicID(), message(.addFiles))
    case .directed: .directed(to: publicID(), message(.filesAdded))
    case .clientsOut: .clientsOut(ClientsOut((0..<below(4)).map { _ in memberRecord() }))
    case .online: .online((0..<below(5)).map { _ in publicID() })
    case .away: .away((0..<below(5)).map { _ in publicID() })
    case .gone: .gone((0..<below(5)).map { _ in publicID() })
    case .requestChunk: .requestChunk(request())
    case .uploadChunkRequest: .uploadChunkRequest(request())
    case .chunkFailed: .chunkFailed(failure())
    case .tellAddresses: .tellAddresses(bytes(upTo: 90))
    case .askAddresses: .askAddresses(publicID())
    case .addresses:
      .addresses(
        ToldAddresses(publicID: publicID(), seen: text(Limits.address), sealed: bytes(upTo: 90)))
    }
  }

  private mutating func connecting(_ opcode: Opcode) -> Message {
    switch opcode {
    case .hello:
      .hello(
        Hello(
          versions: versions(), features: next(),
          challenge: bytes(Hello.challengeLength)))
    case .refused:
      .refused(
        Refused(
          code: pick([
            .protocolError, .badProof, .notTheMaster, .displaced, .disapproved, .tooManyClients,
            .claimNeeded,
          ]), reason: text(Limits.reason)))
    case .masterAppRegister: .masterAppRegister(register())
    case .masterAppRegisterAck:
      .masterAppRegisterAck(
        MasterRegisterAck(
          clients: (0..<below(4)).map { _ in clientRecord() }, isLast: below(2) == 0,
          displaced: below(2) == 0))
    case .clientRegister: .clientRegister(register())
    case .clientRegisterAck:
      .clientRegisterAck(
        ClientRegisterAck(
          publicID: publicID(), admission: admission(), displaced: below(2) == 0,
          master: below(2) == 0 ? nil : key()))
    case .newClientRegistered: .newClientRegistered(clientRecord())
    case .bulkTickets:
      .bulkTickets(
        BulkTickets(
          down: bytes(BulkTickets.length), up: bytes(BulkTickets.length),
          tags: below(2) == 0
            ? nil
            : BulkTickets.TagKeys(
              down: bytes(BulkTickets.keyLength), up: bytes(BulkTickets.keyLength))))
    case .clientForgotten: .clientForgotten((0..<below(5)).map { _ in publicID() })
    case .clientTable:
      .clientTable(
        ClientTable(
          records: (0..<below(4)).map { _ in numbered() }, highest: publicID(),
          isLast: below(2) == 0))
    case .groupKey:
      .groupKey(
        GroupKeyMessage(
          publicID: publicID(), generation: UInt32(truncatingIfNeeded: next()),
          wrapped: bytes(upTo: GroupKeyMessage.wrappedLimit)))
    default: .leave
    }
  }
}
