extension Message {
  /// Decodes one whole message; anything beyond it, short of it or out of its limits throws.
  package init(decoding bytes: [UInt8]) throws(DecodingFault) {
    if bytes.count > Limits.controlMessage { throw .tooLong("a control message") }
    var reader = ByteReader(bytes)
    self = try Message.decode(from: &reader, mayWrap: true)
    try reader.finish()
  }

  /// `mayWrap`: whether FORWARDED and DIRECTED are allowed here; they never nest.
  private static func decode(
    from reader: inout ByteReader, mayWrap: Bool
  ) throws(DecodingFault) -> Message {
    let number = try reader.uint16()
    guard let opcode = Opcode(rawValue: number) else { throw .unknownOpcode(number) }
    switch opcode {
    case .hello, .refused, .masterAppRegister, .masterAppRegisterAck, .clientRegister,
      .clientRegisterAck, .newClientRegistered, .bulkTickets, .leave, .clientForgotten,
      .clientTable,
      .groupKey:
      return try decodeConnecting(opcode, from: &reader)
    case .approveClient: return .approveClient(try reader.decision())
    case .disApproveClient: return .disApproveClient(try reader.decision())
    case .clientApproved: return .clientApproved(try reader.decision())
    case .clientDisApproved: return .clientDisApproved(try reader.decision())
    case .listHead:
      return .listHead(
        ListHead(order: try reader.listOrder(), body: try reader.bytes32(atMost: Limits.reason)))
    case .addFiles: return .addFiles(try reader.proposal())
    case .removeFile: return .removeFile(try reader.proposal())
    case .renameFile: return .renameFile(try reader.proposal())
    case .updateName: return .updateName(try reader.proposal())
    case .filesAdded: return .filesAdded(try reader.ordered())
    case .fileRemoved: return .fileRemoved(try reader.ordered())
    case .fileRenamed: return .fileRenamed(try reader.ordered())
    case .nameUpdated: return .nameUpdated(try reader.ordered())
    case .clientReleased: return .clientReleased(try reader.ordered())
    case .serverNotReady: return .serverNotReady(try reader.transferID())
    case .changeRefused:
      return .changeRefused(
        ChangeRefusal(
          transfer: try reader.transferID(), body: try reader.bytes32(atMost: Limits.reason)))
    case .askFiles:
      return .askFiles(
        ListQuestion(
          cursor: try reader.cursor(), body: try reader.bytes32(atMost: Limits.controlMessage)))
    case .filesPage:
      return .filesPage(
        FilesPage(
          after: try reader.cursor(), next: try reader.cursor(), more: try reader.bool(),
          restarts: try reader.bool(),
          body: try reader.bytes32(atMost: Limits.controlMessage)))
    case .forwarded, .directed:
      guard mayWrap else { throw .invalid("nesting") }
      let publicID = try reader.publicID()
      let inner = try decode(from: &reader, mayWrap: false)
      return opcode == .forwarded
        ? .forwarded(from: publicID, inner) : .directed(to: publicID, inner)
    case .clientsOut:
      return .clientsOut(ClientsOut(body: try reader.bytes32(atMost: Limits.controlMessage)))
    case .online: return .online(try reader.publicIDs())
    case .away: return .away(try reader.publicIDs())
    case .gone: return .gone(try reader.publicIDs())
    case .requestChunk: return .requestChunk(try reader.chunkRequest())
    case .uploadChunkRequest: return .uploadChunkRequest(try reader.chunkRequest())
    case .chunkFailed: return .chunkFailed(try reader.chunkFailure())
    case .tellAddresses:
      return .tellAddresses(try reader.bytes16(atMost: MemberAddresses.sealedLimit))
    case .askAddresses: return .askAddresses(try reader.publicID())
    case .addresses:
      return .addresses(
        ToldAddresses(
          publicID: try reader.publicID(), seen: try reader.string(atMost: Limits.address),
          sealed: try reader.bytes16(atMost: MemberAddresses.sealedLimit)))
    }
  }

  private static func decodeConnecting(
    _ opcode: Opcode, from reader: inout ByteReader
  ) throws(DecodingFault) -> Message {
    switch opcode {
    case .hello:
      return .hello(
        Hello(
          versions: try reader.protocolVersions(), features: try reader.uint64(),
          challenge: try reader.fixed(Hello.challengeLength)))
    case .refused:
      guard let code = RefusalCode(rawValue: try reader.uint16()) else {
        throw .invalid("refusal code")
      }
      return .refused(Refused(code: code, reason: try reader.string(atMost: Limits.reason)))
    case .masterAppRegister: return .masterAppRegister(try reader.register())
    case .masterAppRegisterAck:
      let isLast = try reader.bool()
      let displaced = try reader.bool()
      let count = try reader.count(of: 89, atMost: Limits.clientsPerAck)
      var clients: [ClientRecord] = []
      for _ in 0..<count { clients.append(try reader.clientRecord()) }
      return .masterAppRegisterAck(
        MasterRegisterAck(clients: clients, isLast: isLast, displaced: displaced))
    case .clientRegister: return .clientRegister(try reader.register())
    case .clientRegisterAck:
      return .clientRegisterAck(
        ClientRegisterAck(
          publicID: try reader.publicID(), admission: try reader.admission(),
          displaced: try reader.bool(),
          master: try reader.bool() ? try reader.deviceKey() : nil))
    case .newClientRegistered: return .newClientRegistered(try reader.clientRecord())
    case .bulkTickets:
      let (down, up) = (
        try reader.fixed(BulkTickets.length), try reader.fixed(BulkTickets.length)
      )
      let tags: BulkTickets.TagKeys? =
        try reader.bool()
        ? BulkTickets.TagKeys(
          down: try reader.fixed(BulkTickets.keyLength),
          up: try reader.fixed(BulkTickets.keyLength)) : nil
      return .bulkTickets(BulkTickets(down: down, up: up, tags: tags))
    case .clientForgotten: return .clientForgotten(try reader.publicIDs())
    case .clientTable:
      let isLast = try reader.bool()
      let highest = try reader.publicID()
      let count = try reader.count(of: 75, atMost: Limits.clientsPerAck)
      var records: [MemberRecord] = []
      for _ in 0..<count {
        let record = try reader.memberRecord()
        guard record.key != nil, record.publicID != .master else { throw .invalid("client table") }
        records.append(record)
      }
      return .clientTable(ClientTable(records: records, highest: highest, isLast: isLast))
    case .groupKey:
      return .groupKey(
        GroupKeyMessage(
          publicID: try reader.publicID(), generation: try reader.uint32(),
          wrapped: try reader.bytes16(atMost: GroupKeyMessage.wrappedLimit)))
    default: return .leave
    }
  }
}

extension ByteReader {
  package mutating func deviceKey() throws(DecodingFault) -> DeviceKey {
    DeviceKey(
      signing: try fixed(DeviceKey.partLength), agreement: try fixed(DeviceKey.partLength))
  }

  fileprivate mutating func register() throws(DecodingFault) -> Register {
    Register(
      key: try deviceKey(), incarnation: try uint64(), reached: try uint32(),
      versions: try protocolVersions(), name: try deviceName(),
      system: try string(atMost: Limits.system), claim: try bytes16(atMost: Register.claimLimit),
      proof: try fixed(Register.proofLength))
  }

  fileprivate mutating func admission() throws(DecodingFault) -> Admission {
    guard let admission = Admission(rawValue: try uint8()) else { throw .invalid("admission") }
    return admission
  }

  /// `isOlder`: of a program that did not ask which generation a client had reached.
  package mutating func clientRecord(
    isOlder: Bool = false
  ) throws(DecodingFault) -> ClientRecord {
    let publicID = try publicID()
    let key = try deviceKey()
    let name = try deviceName()
    let system = try string(atMost: Limits.system)
    let address = try string(atMost: Limits.address)
    let firstSeen = Int64(bitPattern: try uint64())
    let generation = try uint32()
    let reached = isOlder ? 0 : try uint32()
    let code = try uint8()
    guard let admission = Admission(rawValue: code & ~ClientRecord.versionedBit) else {
      throw .invalid("admission")
    }
    guard let presence = Presence(rawValue: try uint8()) else { throw .invalid("presence") }
    let isVersioned = code & ClientRecord.versionedBit != 0
    return ClientRecord(
      publicID: publicID, key: key, name: name, system: system, address: address,
      firstSeen: firstSeen, generation: generation, reached: reached,
      versions: isVersioned ? try protocolVersions() : .first, admission: admission,
      presence: presence)
  }

  fileprivate mutating func decision() throws(DecodingFault) -> Decision {
    Decision(
      order: try listOrder(), publicID: try publicID(), generation: try uint32(),
      body: try bytes32(atMost: Limits.controlMessage))
  }

  fileprivate mutating func proposal() throws(DecodingFault) -> Proposal {
    Proposal(
      transfer: try transferID(), oldest: try uint64(),
      body: try bytes32(atMost: Limits.controlMessage))
  }

  fileprivate mutating func ordered() throws(DecodingFault) -> Ordered {
    Ordered(
      order: try listOrder(), sender: try publicID(), transfer: try transferID(),
      body: try bytes32(atMost: Limits.controlMessage))
  }

  fileprivate mutating func cursor() throws(DecodingFault) -> ListCursor {
    ListCursor(
      order: try listOrder(), offset: try uint32(), began: try uint64(),
      question: try transferID())
  }

  fileprivate mutating func publicIDs() throws(DecodingFault) -> [PublicID] {
    let count = try count(of: 4, atMost: Limits.presencePerMessage)
    var publicIDs: [PublicID] = []
    publicIDs.reserveCapacity(count)
    for _ in 0..<count { publicIDs.append(try publicID()) }
    return publicIDs
  }

  fileprivate mutating func chunkRequest() throws(DecodingFault) -> ChunkRequest {
    let request = ChunkRequest(
      owner: try publicID(), entry: try randomID(), version: try randomID(), scale: try uint8(),
      generation: try uint32(), first: try uint64(), count: try uint32(), pastCache: try bool())
    try BulkFrame.checkScale(request.scale)
    // The last piece of a run as well: the hub cuts runs, and what it passes on begins anywhere in
    // one.
    let end = Limits.fileSize >> UInt64(request.scale)
    guard (1...Limits.leavesPerRequest).contains(request.count), request.first <= end,
      UInt64(request.count - 1) <= end - request.first
    else { throw .invalid("chunk") }
    return request
  }

  fileprivate mutating func chunkFailure() throws(DecodingFault) -> ChunkFailure {
    let request = try chunkRequest()
    guard let reason = ChunkFailureReason(rawValue: try uint8()) else {
      throw .invalid("failure reason")
    }
    return ChunkFailure(request, reason: reason, retryAfter: try uint32())
  }
}
