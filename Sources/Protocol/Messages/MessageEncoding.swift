extension Message {
  /// The message as bytes: opcode, then its fields. Throws where it would be beyond
  /// `Limits.controlMessage`.
  package func encoded() throws(DecodingFault) -> [UInt8] {
    var writer = ByteWriter(reserving: 64)
    encode(into: &writer)
    if writer.count > Limits.controlMessage { throw .tooLong("a control message") }
    return writer.bytes
  }

  private func encode(into writer: inout ByteWriter) {
    writer.put(opcode.rawValue)
    switch self {
    case .hello, .refused, .masterAppRegister, .masterAppRegisterAck, .clientRegister,
      .clientRegisterAck, .newClientRegistered, .bulkTickets, .leave, .clientForgotten,
      .clientTable,
      .groupKey:
      encodeConnecting(into: &writer)
    case .approveClient(let decision), .disApproveClient(let decision),
      .clientApproved(let decision), .clientDisApproved(let decision):
      writer.put(decision.order)
      writer.put(decision.publicID)
      writer.put(decision.generation)
      writer.putBytes32(decision.body)
    case .listHead(let head):
      writer.put(head.order)
      writer.putBytes32(head.body)
    case .addFiles(let proposal), .removeFile(let proposal), .renameFile(let proposal),
      .updateName(let proposal):
      writer.put(proposal.transfer)
      writer.put(proposal.oldest)
      writer.putBytes32(proposal.body)
    case .filesAdded(let ordered), .fileRemoved(let ordered), .fileRenamed(let ordered),
      .nameUpdated(let ordered), .clientReleased(let ordered):
      writer.put(ordered.order)
      writer.put(ordered.sender)
      writer.put(ordered.transfer)
      writer.putBytes32(ordered.body)
    case .serverNotReady(let transfer): writer.put(transfer)
    case .changeRefused(let refusal):
      writer.put(refusal.transfer)
      writer.putBytes32(refusal.body)
    case .askFiles(let question):
      writer.put(question.cursor)
      writer.putBytes32(question.body)
    case .filesPage(let page):
      writer.put(page.after)
      writer.put(page.next)
      writer.put(page.more)
      writer.put(page.restarts)
      writer.putBytes32(page.body)
    case .forwarded(let publicID, let message), .directed(let publicID, let message):
      writer.put(publicID)
      message.encode(into: &writer)
    case .clientsOut(let out): writer.putBytes32(out.body)
    case .online(let publicIDs), .away(let publicIDs), .gone(let publicIDs):
      writer.put(publicIDs)
    case .requestChunk(let request), .uploadChunkRequest(let request): writer.put(request)
    case .chunkFailed(let failure): writer.put(failure)
    case .tellAddresses(let sealed): writer.putBytes16(sealed)
    case .askAddresses(let publicID): writer.put(publicID)
    case .addresses(let told):
      writer.put(told.publicID)
      writer.put(told.seen)
      writer.putBytes16(told.sealed)
    }
  }

  private func encodeConnecting(into writer: inout ByteWriter) {
    switch self {
    case .hello(let hello):
      writer.put(hello.versions)
      writer.put(hello.features)
      writer.putFixed(hello.challenge, count: Hello.challengeLength)
    case .refused(let refused):
      writer.put(refused.code.rawValue)
      writer.put(refused.reason)
    case .masterAppRegister(let register), .clientRegister(let register):
      writer.put(register.key)
      writer.put(register.incarnation)
      writer.put(register.reached)
      writer.put(register.versions)
      writer.put(register.name.text)
      writer.put(register.system)
      writer.putBytes16(register.claim)
      writer.putFixed(register.proof, count: Register.proofLength)
    case .masterAppRegisterAck(let ack):
      writer.put(ack.isLast)
      writer.put(ack.displaced)
      writer.put(UInt32(ack.clients.count))
      for client in ack.clients { writer.put(client) }
    case .clientRegisterAck(let ack):
      writer.put(ack.publicID)
      writer.put(ack.admission.rawValue)
      writer.put(ack.displaced)
      writer.put(ack.master != nil)
      if let master = ack.master { writer.put(master) }
    case .newClientRegistered(let client): writer.put(client)
    case .bulkTickets(let tickets):
      writer.putFixed(tickets.down, count: BulkTickets.length)
      writer.putFixed(tickets.up, count: BulkTickets.length)
      writer.put(tickets.tags != nil)
      if let tags = tickets.tags {
        writer.putFixed(tags.down, count: BulkTickets.keyLength)
        writer.putFixed(tags.up, count: BulkTickets.keyLength)
      }
    case .clientForgotten(let publicIDs): writer.put(publicIDs)
    case .clientTable(let table):
      writer.put(table.isLast)
      writer.put(table.highest)
      writer.put(UInt32(table.records.count))
      for record in table.records { writer.put(record) }
    case .groupKey(let key):
      writer.put(key.publicID)
      writer.put(key.generation)
      writer.putBytes16(key.wrapped)
    default: break  // LEAVE has no fields.
    }
  }
}

extension ByteWriter {
  fileprivate mutating func put(_ publicIDs: [PublicID]) {
    put(UInt32(publicIDs.count))
    for publicID in publicIDs { put(publicID) }
  }

  package mutating func put(_ key: DeviceKey) {
    putFixed(key.signing, count: DeviceKey.partLength)
    putFixed(key.agreement, count: DeviceKey.partLength)
  }

  package mutating func put(_ client: ClientRecord) {
    put(client.publicID)
    put(client.key)
    put(client.name.text)
    put(client.system)
    put(client.address)
    put(UInt64(bitPattern: client.firstSeen))
    put(client.generation)
    put(client.reached)
    put(client.admission.rawValue | ClientRecord.versionedBit)
    put(client.presence.rawValue)
    put(client.versions)
  }

  fileprivate mutating func put(_ cursor: ListCursor) {
    put(cursor.order)
    put(cursor.offset)
    put(cursor.began)
    put(cursor.question)
  }

  fileprivate mutating func put(_ request: ChunkRequest) {
    put(request.owner)
    put(request.entry)
    put(request.version)
    put(request.scale)
    put(request.generation)
    put(request.first)
    put(request.count)
    put(request.pastCache)
  }

  fileprivate mutating func put(_ failure: ChunkFailure) {
    put(ChunkRequest(failure.key(0), count: failure.count))
    put(failure.reason.rawValue)
    put(failure.retryAfter)
  }
}
