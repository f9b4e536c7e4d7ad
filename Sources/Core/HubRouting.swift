package import Protocol

/// Who may say what to whom, and the way that it takes.
extension Hub {
  /// A message after registration (the two registrations and LEAVE have calls of their own).
  package mutating func received(
    _ message: Message, session: SessionID, now: Instant, into actions: inout [HubAction]
  ) {
    guard let state = sessions[session] else { return }
    guard case .registered(let publicID) = state else {
      return refuse(session, .protocolError, "not registered", into: &actions)
    }
    if publicID == .master {
      receivedFromMaster(message, session: session, now: now, into: &actions)
    } else if clients[publicID]?.record.admission == .approved {
      receivedFromClient(message, publicID, session: session, now: now, into: &actions)
    } else if clients[publicID]?.record.admission == .disapproved, Hub.isAClientsWord(message) {
      // Sent in good faith just before a disapproval: nothing of it is answered or passed on.
    } else {
      refuse(session, .protocolError, "\(message.opcode) is not for a client", into: &actions)
    }
  }

  /// A frame on the upward stream of `session`.
  package mutating func receivedFrame(
    _ frame: [UInt8], session: SessionID, now: Instant, into actions: inout [HubAction]
  ) {
    guard case .registered(let publicID) = sessions[session] else { return }
    guard let key = try? BulkFrame.key(of: frame), key.owner == publicID else {
      return refuse(session, .protocolError, "a malformed frame", into: &actions)
    }
    relay.arrived(frame, key: key, now: now, into: &actions)
  }

  /// The downward stream of `session` took `bytes` of frames.
  package mutating func sentFrames(
    bytes: Int, session: SessionID, now: Instant, into actions: inout [HubAction]
  ) {
    relay.drained(bytes: bytes, session: session, now: now, into: &actions)
  }

  private mutating func receivedFromMaster(
    _ message: Message, session: SessionID, now: Instant, into actions: inout [HubAction]
  ) {
    switch message {
    case .filesAdded, .fileRemoved, .fileRenamed, .nameUpdated, .clientReleased:
      broadcast(message, into: &actions)
    case .approveClient(let decision): approve(decision, into: &actions)
    case .disApproveClient(let decision): disapprove(decision, into: &actions)
    case .directed(let publicID, let inner):
      guard let client = clients[publicID], client.record.admission == .approved,
        let session = client.session
      else { return }
      actions.append(.send(inner, to: [session]))
    case .requestChunk, .chunkFailed:
      receivedAboutChunks(message, .master, session: session, now: now, into: &actions)
    default:
      refuse(session, .protocolError, "\(message.opcode) is not for a master", into: &actions)
    }
  }

  private mutating func receivedFromClient(
    _ message: Message, _ publicID: PublicID, session: SessionID, now: Instant,
    into actions: inout [HubAction]
  ) {
    switch message {
    case .addFiles(let proposal), .removeFile(let proposal), .renameFile(let proposal),
      .updateName(let proposal):
      if let masterSession {
        actions.append(.send(.forwarded(from: publicID, message), to: [masterSession]))
      } else {
        actions.append(.send(.serverNotReady(proposal.transfer), to: [session]))
      }
    case .askFiles:
      // With the master away nothing is said: ONLINE for the master makes the asker ask again.
      if let masterSession {
        actions.append(.send(.forwarded(from: publicID, message), to: [masterSession]))
      }
    case .requestChunk, .chunkFailed:
      receivedAboutChunks(message, publicID, session: session, now: now, into: &actions)
    default:
      refuse(session, .protocolError, "\(message.opcode) is not for a client", into: &actions)
    }
  }

  private mutating func receivedAboutChunks(
    _ message: Message, _ publicID: PublicID, session: SessionID, now: Instant,
    into actions: inout [HubAction]
  ) {
    switch message {
    case .requestChunk(let request):
      let owner = clients[request.owner]
      var refusal: ChunkFailureReason?
      if owner == nil || owner?.record.admission != .approved || request.owner == publicID {
        refusal = .denied
      } else if owner?.session == nil {
        refusal = owner?.presence == .away ? .away : .gone
      }
      relay.requested(
        request, from: session, owner: owner?.session, refusal: refusal, now: now, into: &actions)
    case .chunkFailed(let failure) where failure.owner == publicID:
      relay.failed(failure, into: &actions)
    default:
      refuse(session, .protocolError, "a chunk of another owner", into: &actions)
    }
  }

  private func broadcast(_ message: Message, into actions: inout [HubAction]) {
    let audience = approvedSessions
    if !audience.isEmpty { actions.append(.send(message, to: audience)) }
  }

  private mutating func approve(_ decision: Decision, into actions: inout [HubAction]) {
    let publicID = decision.publicID
    guard publicID != .master, clients[publicID] != nil else { return }
    let isNew = clients[publicID]!.record.admission != .approved
    clients[publicID]!.record.admission = .approved
    if isNew { actions.append(.persist(clients[publicID]!.record)) }
    broadcast(.clientApproved(decision), into: &actions)
    guard isNew, let session = clients[publicID]!.session else { return }
    actions.append(.issueTickets(session))
    sendPresence(to: session, into: &actions)
    clients[publicID]!.presence = .gone
    setPresence(publicID, .online, into: &actions)
  }

  private mutating func disapprove(_ decision: Decision, into actions: inout [HubAction]) {
    let publicID = decision.publicID
    guard publicID != .master, clients[publicID] != nil else { return }
    let wasApproved = clients[publicID]!.record.admission == .approved
    var audience = approvedSessions
    let session = clients[publicID]!.session
    if let session, !audience.contains(session) { audience.append(session) }
    if !audience.isEmpty {
      actions.append(.send(.clientDisApproved(decision), to: audience))
    }
    if wasApproved { setPresence(publicID, .gone, into: &actions) }
    let wasDisapproved = clients[publicID]!.record.admission == .disapproved
    clients[publicID]!.record.admission = .disapproved
    clients[publicID]!.goneAt = nil
    if !wasDisapproved { actions.append(.persist(clients[publicID]!.record)) }
    guard wasApproved else { return }
    if let session {
      relay.sessionClosed(session, into: &actions)
      actions.append(.closeBulk(session))
      // Gone for everyone, but the master may see that it is still connected.
      clients[publicID]!.presence = .online
      if let masterSession {
        let record = Hub.record(clients[publicID]!)
        actions.append(.send(.newClientRegistered(record), to: [masterSession]))
      }
    }
    relay.ownerLost(publicID, reason: .denied, into: &actions)
  }

  /// Messages that an approved client may send.
  private static func isAClientsWord(_ message: Message) -> Bool {
    switch message {
    case .addFiles, .removeFile, .renameFile, .updateName, .askFiles, .requestChunk, .chunkFailed:
      true
    default: false
    }
  }
}
