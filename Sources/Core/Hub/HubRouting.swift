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
    // Its streams end with its approval; this is for what was read from them in that moment.
    guard clients[publicID]?.record.admission == .approved else { return }
    guard let key = try? BulkFrame.key(of: frame), key.owner == publicID else {
      return refuse(session, .protocolError, "a malformed frame", into: &actions)
    }
    relay.arrived(frame, key: key, now: now, into: &actions)
  }

  /// The downward stream of `session` is open: it may ask for leaves.
  package mutating func openedDown(_ session: SessionID) {
    guard case .registered(let publicID) = sessions[session],
      clients[publicID]?.record.admission == .approved
    else { return }
    relay.opened(session)
  }

  /// The downward stream of `session` took `bytes` of frames.
  package mutating func sentFrames(
    bytes: Int, session: SessionID, now: Instant, into actions: inout [HubAction]
  ) {
    relay.drained(bytes: bytes, session: session, now: now, into: &actions)
  }

  /// Some session has more waiting for it than it should, or none has any more.
  package mutating func setCongested(
    _ isCongested: Bool, now: Instant, into actions: inout [HubAction]
  ) {
    forwarding.isCongested = isCongested
    if !isCongested { passOn(now: now, into: &actions) }
  }

  /// Passes on to the master what it may hear now of what its clients said.
  mutating func passOn(now: Instant, into actions: inout [HubAction]) {
    guard let masterSession else { return }
    for message in forwarding.take(now: now, into: &actions) {
      actions.append(.send(message, to: [masterSession]))
    }
  }

  private mutating func receivedFromMaster(
    _ message: Message, session: SessionID, now: Instant, into actions: inout [HubAction]
  ) {
    switch message {
    case .filesAdded(let ordered), .fileRemoved(let ordered), .fileRenamed(let ordered),
      .nameUpdated(let ordered), .clientReleased(let ordered):
      broadcast(message, into: &actions)
      forwarding.answered(ordered.transfer, of: ordered.sender)
      passOn(now: now, into: &actions)
    case .approveClient(let decision): approve(decision, into: &actions)
    case .disApproveClient(let decision): disapprove(decision, into: &actions)
    case .listHead: broadcast(message, into: &actions)
    case .groupKey(let key) where key.generation > 0: keep(key, into: &actions)
    case .clientTable(let table):
      takeTable(table, from: session, now: now, into: &actions)
    case .directed(let publicID, let inner) where Hub.isAnAnswer(inner):
      if let name = inner.answered { forwarding.answered(name, of: publicID) }
      if case .serverNotReady = inner { forwarding.rest(publicID, now: now) }
      defer { passOn(now: now, into: &actions) }
      guard let client = clients[publicID], client.record.admission == .approved,
        let session = client.session
      else { return }
      actions.append(.send(inner, to: [session]))
    case .requestChunk, .chunkFailed:
      receivedAboutChunks(message, .master, session: session, now: now, into: &actions)
    case .tellAddresses, .askAddresses:
      receivedAboutAddresses(message, .master, now: now, into: &actions)
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
      if masterSession == nil {
        return actions.append(.send(.serverNotReady(proposal.transfer), to: [session]))
      }
      forwarding.add(message, from: publicID, session, now: now, into: &actions)
      passOn(now: now, into: &actions)
    case .askFiles, .clientsOut:
      // With the master away nothing is said: ONLINE for the master makes the asker ask again.
      if masterSession == nil { return }
      forwarding.add(message, from: publicID, session, now: now, into: &actions)
      passOn(now: now, into: &actions)
    case .requestChunk, .chunkFailed:
      receivedAboutChunks(message, publicID, session: session, now: now, into: &actions)
    case .tellAddresses, .askAddresses:
      receivedAboutAddresses(message, publicID, now: now, into: &actions)
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
    // That others read it too is said on lines only: here it would send the asker where he is.
    case .chunkFailed(let failure) where failure.owner == publicID && failure.reason != .shared:
      relay.failed(failure, into: &actions)
    default:
      refuse(session, .protocolError, "a chunk of another owner", into: &actions)
    }
  }

  /// What the master may say to one member alone: answers, never the hub's own words.
  private static func isAnAnswer(_ message: Message) -> Bool {
    switch message {
    case .filesAdded, .fileRemoved, .fileRenamed, .nameUpdated, .clientReleased, .serverNotReady,
      .changeRefused, .filesPage:
      true
    default: false
    }
  }

  /// Messages that an approved client may send.
  private static func isAClientsWord(_ message: Message) -> Bool {
    switch message {
    case .addFiles, .removeFile, .renameFile, .updateName, .askFiles, .clientsOut, .requestChunk,
      .chunkFailed, .tellAddresses, .askAddresses:
      true
    default: false
    }
  }
}
