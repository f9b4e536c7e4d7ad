import Core
import Protocol

/// What arrives at a node, and who of it must hear it.
extension World {
  /// A control message at a node.
  func arrivedAtNode(_ bytes: [UInt8], on session: SessionID) {
    guard let connection = connections[session], connection.nodeIsOpen, !connection.isCut else {
      return
    }
    guard case .node(let index) = connection.peer else {
      return liarHears(bytes, on: connection)
    }
    let node = nodes[index]
    guard node.isRunning, node.session == session else { return }
    let message: Message
    do { message = try Message(decoding: bytes) } catch {
      return fail("node \(node.index) cannot decode a message: \(error)")
    }
    note("node \(node.index) hears \(brief(message))")
    if case .hello(let hello) = message {
      node.lines.hubPasses = hello.features & Hello.passesAddresses != 0
    }
    switch message {
    case .uploadChunkRequest(let request): serve(request, node, by: .hub)
    case .addresses(let addresses): told(addresses, node)
    case .chunkFailed(let failure):
      withFetcher(node) { $0.failed(failure, now: now, into: &$1) }
    case .groupKey(let key): received(key, node)
    case .listHead(let head): received(head, node)
    default:
      if node.isMaster, receivedByMaster(message, node) { return }
      withMember(node) { $0.received(message, now: now, into: &$1) }
    }
    if case .clientRegisterAck = message { node.backOff = 0 }
  }

  /// What the hub tells the master app. Returns: whether its member need not hear it.
  private func receivedByMaster(_ message: Message, _ node: Node) -> Bool {
    guard let host = node.master else { return false }
    switch message {
    case .masterAppRegisterAck(let ack):
      host.parts += ack.clients
      guard ack.isLast else { return true }
      let records = host.parts
      host.parts = []
      host.hubIsReady = true
      host.isUnsettled = false
      node.backOff = 0
      withMaster(node) { $0.hubConnected(clients: records, now: now, into: &$1) }
      withMember(node) { $0.masterIsReady(now: now, into: &$1) }
      return true
    case .newClientRegistered(let record):
      withMaster(node) { $0.clientRegistered(record, into: &$1) }
      return true
    case .online(let publicIDs): presence(publicIDs, .online, node)
    case .away(let publicIDs): presence(publicIDs, .away, node)
    case .gone(let publicIDs): presence(publicIDs, .gone, node)
    case .clientForgotten(let publicIDs):
      withMaster(node) { master, _ in master.clientsForgotten(publicIDs) }
      return true
    case .forwarded(let sender, let inner):
      forwarded(inner, from: sender, node)
      return true
    default: break
    }
    return false
  }

  private func presence(_ publicIDs: [PublicID], _ presence: Presence, _ node: Node) {
    for publicID in publicIDs {
      withMaster(node) { $0.presenceChanged(publicID, presence, into: &$1) }
    }
  }

  private func forwarded(_ message: Message, from sender: PublicID, _ node: Node) {
    let sender = sabotagedSender(of: message, sender)
    withMaster(node) { master, actions in
      let isTaken = master.received(message, from: sender, now: now, into: &actions)
      // What makes no sense is a liar's.
      if !isTaken, !isLiar(sender) { fail("the hub forwards \(message.opcode)") }
    }
  }

  private func received(_ key: GroupKeyMessage, _ node: Node) {
    if key.publicID != node.member.publicID || node.isMaster {
      return fail("node \(node.index) gets the key of \(key.publicID)")
    }
    if key.generation < node.reached {
      if !masterWasSetBack, !hubForgot {
        fail("node \(node.index) gets a key that was replaced")
      }
      return note("node \(node.index) waits for a key later than \(key.generation)")
    }
    use(key.generation, node)
  }

  private func received(_ head: ListHead, _ node: Node) {
    guard let proof = try? head.proof(), SimulatedSignature.holds(proof) else {
      return fail("node \(node.index) gets a head that the master did not sign")
    }
    withMember(node) { $0.proven(proof, now: now, into: &$1) }
  }

  /// The node's process seals with the key of this generation from here on.
  func use(_ generation: UInt32, _ node: Node) {
    note("node \(node.index) uses key \(generation)")
    node.generation = generation
    node.reached = max(node.reached, generation)
    node.fetcher.rekeyed(generation)
    tellAddresses(node)
  }

  func nodeSeesEnd(_ session: SessionID) {
    guard let connection = connections[session], connection.nodeIsOpen else { return }
    connection.nodeIsOpen = false
    noteFault(connection)
    forget(connection)
    guard case .node(let index) = connection.peer else { return liarSeesEnd(connection) }
    let node = nodes[index]
    guard node.session == session else { return }
    note("node \(node.index) sees the end of session \(session)")
    node.session = nil
    node.bulkIsOpen = false
    node.lines.asked = [:]
    node.master?.hubIsReady = false
    node.master?.parts = []
    turnLinesOff(node)
    node.fetcher.linkLost()
    withMember(node) { $0.linkLost(into: &$1) }
    if node.isRunning { scheduleConnect(node) }
  }

  /// A request by the hub, or by a line: answered from the own folder, leaf by leaf.
  func serve(_ request: ChunkRequest, _ node: Node, by way: ChunkWay) {
    func refuse(_ reason: ChunkFailureReason, retryAfter: UInt32 = 0) {
      giveFailure(
        ChunkFailure(request, reason: reason, retryAfter: retryAfter), by: way, from: node)
    }
    if way == .hub, !node.lines.open.isEmpty {
      _ = node.lines.served.wanted(request, by: .hub, now: now)
    }
    guard node.bulkIsOpen || way != .hub else { return refuse(.busy, retryAfter: 200) }
    if !isSettling, random.chance(20) { return refuse(.busy, retryAfter: 300) }
    if !isSettling, random.chance(5) { return refuse(.unreadable) }
    // By a line nothing is sealed with the group's key.
    guard request.generation == node.generation || way != .hub else { return refuse(.stale) }
    guard let entry = node.folder[request.entry], entry.kind == .file else { return refuse(.gone) }
    guard entry.version == request.version else { return refuse(.changed) }
    noteAsked(request)
    for offset in 0..<request.count {
      let key = request.key(offset)
      guard var bytes = contents.piece(entry.version, key.index, scale: key.scale) else {
        giveFailure(ChunkFailure(key, reason: .denied), by: way, from: node)
        continue
      }
      if sabotages(.flipByte) { bytes[bytes.count / 2] ^= 1 }
      give(BulkFrame.header(key, payload: bytes.count) + bytes, by: way, from: node)
    }
  }

  /// A frame at the node that asked for it.
  func took(_ frame: [UInt8], _ node: Node) {
    guard node.isRunning, let key = try? BulkFrame.key(of: frame) else {
      if node.isRunning { fail("node \(node.index) gets a malformed frame") }
      return
    }
    if node.member.phase == .disapproved || node.member.phase == .waiting { return }
    if !isSettling, random.chance(10) {
      return withFetcher(node) { $0.couldNotOpen(key, now: now, into: &$1) }
    }
    let leaf = Leaf(frame.dropFirst(BulkFrame.payloadOffset))
    withFetcher(node) { $0.arrived(key, leaf, now: now, into: &$1) }
  }
}
