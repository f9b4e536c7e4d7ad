import Core
import Protocol

/// What lies between hub and nodes: bytes in order on each way, after a delay, until a connection
/// ends.
extension World {
  func encoded(_ message: Message) -> [UInt8]? {
    do {
      return try message.encoded()
    } catch {
      fail("\(message.opcode) cannot be encoded: \(error)")
      return nil
    }
  }

  /// How long a message is on its way: mostly short, sometimes very long.
  func delay() -> Duration {
    random.chance(950) ? random.span(1...60) : random.span(60...1_500)
  }

  /// Hub to node.
  func down(_ bytes: [UInt8], on connection: Connection) {
    guard connection.hubIsOpen, !connection.isCut else { return }
    connection.lastDown = max(connection.lastDown, now + delay())
    events.put(.toNode(connection.id, bytes), at: connection.lastDown)
  }

  /// Node to hub.
  func up(_ message: Message, from node: Node) {
    guard let session = node.session, let connection = connections[session],
      connection.nodeIsOpen, !connection.isCut, let bytes = encoded(message)
    else { return }
    note("node \(node.index) sends \(brief(message))")
    honestWord.note(message, of: node.index)
    up(bytes, on: connection)
  }

  /// The same from whoever is at the other end.
  func up(_ bytes: [UInt8], on connection: Connection) {
    connection.lastUp = max(connection.lastUp, now + delay())
    events.put(.toHub(connection.id, bytes), at: connection.lastUp)
  }

  /// A frame on the upward stream of a node.
  func upFrame(_ frame: [UInt8], from node: Node) {
    guard let session = node.session, let connection = connections[session], !connection.isCut
    else { return }
    upFrame(frame, on: connection)
  }

  /// The same from whoever is at the other end.
  func upFrame(_ frame: [UInt8], on connection: Connection) {
    connection.lastFrameUp = max(connection.lastFrameUp, now + delay())
    events.put(
      .frameToHub(connection.id, tickets: connection.tickets, frame), at: connection.lastFrameUp)
  }

  /// A frame on the downward stream of a connection.
  func downFrame(_ frame: [UInt8], on connection: Connection) {
    connection.lastFrameDown = max(connection.lastFrameDown, now + delay())
    events.put(
      .frameToNode(connection.id, tickets: connection.tickets, frame),
      at: connection.lastFrameDown)
  }

  /// The connection is lost with all that is in flight; each end notices in its own time.
  func cut(_ connection: Connection) {
    guard !connection.isCut else { return }
    connection.isCut = true
    noteFault(connection)
    note("connection \(connection.id) of \(connection.peer) is cut")
    statistics.links += 1
    let slow = random.chance(300)
    if connection.hubIsOpen {
      events.put(
        .hubSeesEnd(connection.id), at: now + random.span(slow ? 5_000...15_000 : 0...300))
    }
    if connection.nodeIsOpen {
      events.put(
        .nodeSeesEnd(connection.id),
        at: now + random.span(random.chance(300) ? 5_000...15_000 : 0...300))
    }
  }

  func connect(_ node: Node) {
    guard node.isRunning, node.session == nil else { return }
    guard hub.hub != nil else { return scheduleConnect(node) }
    let connection = Connection(id: nextSession, peer: .node(node.index))
    nextSession += 1
    connections[connection.id] = connection
    node.session = connection.id
    connection.lastUp = now + delay()
    note("node \(node.index) connects as session \(connection.id)")
    events.put(.opened(connection.id), at: connection.lastUp)
  }

  func scheduleConnect(_ node: Node) {
    node.backOff = min(node.backOff + 1, 4)
    events.put(.nodeConnects(node.index), at: now + random.span(50...(400 << node.backOff)))
  }

  /// The hub took a connection.
  func opened(_ session: SessionID) {
    guard let connection = connections[session], !connection.isCut else { return }
    guard hub.hub != nil else {
      connection.isCut = true
      events.put(.nodeSeesEnd(session), at: now + random.span(1...500))
      return
    }
    connection.hubIsOpen = true
    withHub { hub, _ in hub.opened(session, from: direct.seen(connection.peer), now: now) }
    var challenge = [UInt8](repeating: 0, count: Hello.challengeLength)
    challenge[0] = UInt8(truncatingIfNeeded: random.next())
    let hello = Hello(
      features: direct.isThere ? Hello.passesAddresses : 0, challenge: challenge)
    if let bytes = encoded(.hello(hello)) { down(bytes, on: connection) }
  }

  func hubSeesEnd(_ session: SessionID) {
    guard let connection = connections[session], connection.hubIsOpen else { return }
    noteFault(connection)
    note("hub sees the end of session \(session)")
    connection.hubIsOpen = false
    connection.bulkIsOpen = false
    withHub { hub, actions in hub.closed(session, now: now, into: &actions) }
    forget(connection)
  }

  /// Drops what nobody holds any more.
  func forget(_ connection: Connection) {
    if !connection.hubIsOpen, !connection.nodeIsOpen { connections[connection.id] = nil }
  }

  /// A control message at the hub.
  func arrivedAtHub(_ bytes: [UInt8], on session: SessionID) {
    guard let connection = connections[session], connection.hubIsOpen, !connection.isCut else {
      return
    }
    if connection.isHeld { return connection.unread.append(bytes) }
    let message: Message
    do { message = try Message(decoding: bytes) } catch {
      guard case .liar = connection.peer else {
        return fail("the hub cannot decode a message of session \(session): \(error)")
      }
      return endUndecoded(session)
    }
    let peer = connection.peer
    if sabotagesHearing(message, peer) { return }
    var session = session
    if case .chunkFailed(let failure) = message, options.sabotage == .takeForgedLeaf {
      session = sessionOfOwner(failure.owner) ?? session
    }
    withHub { hub, actions in
      switch message {
      case .masterAppRegister(let said):
        hub.masterRegisters(
          said, proofHolds: proves(peer, said.key), claimHolds: !isLiar(peer),
          session: session, now: now, into: &actions)
      case .clientRegister(let said):
        hub.clientRegisters(
          said, proofHolds: proves(peer, said.key), session: session, now: now,
          into: &actions)
      case .leave: hub.leaves(session, into: &actions)
      default: hub.received(message, session: session, now: now, into: &actions)
      }
    }
    checkLoads()
  }

  func frameArrivedAtHub(_ frame: [UInt8], on session: SessionID, tickets: Int) {
    guard let connection = connections[session], connection.hubIsOpen, !connection.isCut,
      connection.bulkIsOpen, connection.tickets == tickets
    else { return }
    var session = session
    if isLiar(connection.peer), options.sabotage == .takeForgedLeaf {
      session = sessionOfOwner((try? BulkFrame.key(of: frame))?.owner) ?? session
    }
    withHub { hub, actions in
      hub.receivedFrame(frame, session: session, now: now, into: &actions)
    }
  }

  func frameArrivedAtNode(_ frame: [UInt8], on session: SessionID, tickets: Int) {
    guard let connection = connections[session], !connection.isCut, connection.tickets == tickets
    else { return }
    guard connection.hubIsOpen, connection.bulkIsOpen else { return }
    connection.queuedDown -= frame.count
    withHub { hub, actions in
      hub.sentFrames(bytes: frame.count, session: session, now: now, into: &actions)
    }
    if case .node(let index) = connection.peer, nodes[index].session == session {
      took(frame, nodes[index])
    }
  }

  func bulkOpens(_ session: SessionID, tickets: Int) {
    guard let connection = connections[session], !connection.isCut, connection.hubIsOpen,
      connection.tickets == tickets
    else { return }
    switch connection.peer {
    case .node(let index):
      let node = nodes[index]
      guard node.session == session else { return }
      connection.bulkIsOpen = true
      node.bulkIsOpen = true
      withHub { hub, _ in hub.openedDown(session) }
      withNode(node) { node, actions in
        var fetches: [FetchAction] = []
        node.fetcher.linkReady(now: now, into: &fetches)
        actions += fetches.map { .fetch($0) }
      }
      turnLinesOn(node)
    case .liar:
      connection.bulkIsOpen = true
      withHub { hub, _ in hub.openedDown(session) }
    }
    let held = connection.held
    connection.held = []
    for frame in held { downFrame(frame, on: connection) }
  }

  /// A message in few words, for the trace.
  func brief(_ message: Message) -> String {
    switch message {
    case .forwarded(let publicID, let inner): "forwarded(\(publicID), \(brief(inner)))"
    case .directed(let publicID, let inner): "directed(\(publicID), \(brief(inner)))"
    case .addFiles(let proposal), .removeFile(let proposal), .renameFile(let proposal),
      .updateName(let proposal):
      "\(message.opcode) \(proposal.transfer.counter) of \(proposal.transfer.incarnation % 1_000)"
    case .filesAdded(let ordered), .fileRemoved(let ordered), .fileRenamed(let ordered),
      .nameUpdated(let ordered), .clientReleased(let ordered):
      "\(message.opcode) \(ordered.order.seq) from \(ordered.sender)"
    case .filesPage(let page):
      "filesPage next \(page.next.order.seq)+\(page.next.offset) more \(page.more) restarts \(page.restarts)"
    case .askFiles(let question):
      "askFiles \(question.cursor.order.seq)+\(question.cursor.offset)"
    case .online(let publicIDs), .away(let publicIDs), .gone(let publicIDs):
      "\(message.opcode) \(publicIDs)"
    case .clientRegisterAck(let ack): "clientRegisterAck \(ack.publicID) \(ack.admission)"
    case .clientApproved(let decision), .clientDisApproved(let decision),
      .approveClient(let decision), .disApproveClient(let decision):
      "\(message.opcode) \(decision.publicID) at \(decision.order.seq)"
    case .requestChunk(let request), .uploadChunkRequest(let request):
      "\(message.opcode) \(request.first)+\(request.count) of \(request.owner)"
    case .chunkFailed(let failure):
      "chunkFailed \(failure.reason) \(failure.first)+\(failure.count) of \(failure.owner)"
    default: "\(message.opcode)"
    }
  }
}
