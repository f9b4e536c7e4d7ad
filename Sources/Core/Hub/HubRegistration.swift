package import Protocol

/// How connections become the master or a client.
extension Hub {
  /// MASTER_APP_REGISTER. `proofHolds`: whether the signature fits the challenge of this session.
  /// `claimHolds`: whether it gives the claim code of this hub, which counts where there is no
  /// master yet.
  package mutating func masterRegisters(
    _ register: Register, proofHolds: Bool, claimHolds: Bool, session: SessionID, now: Instant,
    into actions: inout [HubAction]
  ) {
    guard case .registering(let opening) = sessions[session] else {
      return refuse(session, .protocolError, "registered already", into: &actions)
    }
    guard proofHolds else {
      return refuse(session, .badProof, "the proof does not fit the key", into: &actions)
    }
    if masterKey == nil {
      guard claimHolds else {
        return refuse(
          session, .claimNeeded, "this hub has no master yet: give its claim code", into: &actions)
      }
      claim(register.key, into: &actions)
    }
    guard masterKey == register.key else {
      return refuse(session, .notTheMaster, "this hub has another master", into: &actions)
    }
    let record = HubClient(
      publicID: .master, key: register.key, name: register.name, system: register.system,
      address: opening.address, firstSeen: clients[.master]?.record.firstSeen ?? opening.time,
      admission: .approved, versions: register.versions)
    guard let displaced = enter(record, register, session: session, opening, into: &actions) else {
      return
    }
    acknowledgeMaster(session, displaced: displaced, into: &actions)
    setPresence(.master, .online, into: &actions)
    actions.append(.issueTickets(session))
    sendPresence(to: session, into: &actions)
  }

  /// CLIENT_REGISTER. `proofHolds`: whether the signature fits the challenge of this session.
  package mutating func clientRegisters(
    _ register: Register, proofHolds: Bool, session: SessionID, now: Instant,
    into actions: inout [HubAction]
  ) {
    guard case .registering(let opening) = sessions[session] else {
      return refuse(session, .protocolError, "registered already", into: &actions)
    }
    guard proofHolds else {
      return refuse(session, .badProof, "the proof does not fit the key", into: &actions)
    }
    if register.key == masterKey {
      return refuse(session, .protocolError, "this key is the master's", into: &actions)
    }
    guard knowsNumbers else { return hold(register, opening, session: session, into: &actions) }
    var record: HubClient
    if let publicID = clients[register.key], let known = clients[publicID]?.record {
      record = known
      record.name = register.name
      record.system = register.system
      record.address = opening.address
      record.reached = register.reached
      record.versions = register.versions
    } else {
      guard makeRoomToWait(into: &actions), let publicID = newPublicID() else {
        return refuse(
          session, .tooManyClients, "too many clients wait for approval", into: &actions)
      }
      record = HubClient(
        publicID: publicID, key: register.key, name: register.name, system: register.system,
        address: opening.address, firstSeen: opening.time, admission: .waiting,
        reached: register.reached, versions: register.versions)
    }
    guard let displaced = enter(record, register, session: session, opening, into: &actions) else {
      return
    }
    let ack = ClientRegisterAck(
      publicID: record.publicID, admission: record.admission, displaced: displaced,
      master: masterKey)
    actions.append(.send(.clientRegisterAck(ack), to: [session]))
    let isApproved = record.admission == .approved
    if !isApproved { clients[record.publicID]!.presence = .online }
    if let masterSession {
      let announced = record.record(presence: .online)
      actions.append(.send(.newClientRegistered(announced), to: [masterSession]))
    }
    if isApproved {
      if let groupKey = record.groupKey {
        actions.append(.send(.groupKey(groupKey), to: [session]))
      }
      actions.append(.issueTickets(session))
      sendPresence(to: session, into: &actions)
      setPresence(record.publicID, .online, into: &actions)
    }
  }

  /// LEAVE: gone at once.
  package mutating func leaves(_ session: SessionID, into actions: inout [HubAction]) {
    guard sessions[session] != nil else { return }
    // nil: somebody who goes before being let in.
    if let publicID = end(session) {
      clients[publicID]!.session = nil
      relay.sessionClosed(session, into: &actions)
      leaveForGood(publicID, into: &actions)
    }
    actions.append(.close(session, nil))
  }

  /// The hub has its master from now on. What the same key was before, as a client, it is no more.
  private mutating func claim(_ key: DeviceKey, into actions: inout [HubAction]) {
    if let publicID = clients[key], publicID != .master {
      if let session = clients[publicID]?.session {
        _ = end(session)
        relay.sessionClosed(session, into: &actions)
        refuse(session, .displaced, "this device is the master now", into: &actions)
      }
      leaveForGood(publicID, into: &actions)
      forget(publicID, into: &actions)
    }
    masterKey = key
    actions.append(.persistMaster(key))
  }

  /// Sees to it that one more client may wait. Who waits without being connected makes room, the
  /// one that was heard of longest ago first. Returns: false where all who wait are connected.
  private mutating func makeRoomToWait(into actions: inout [HubAction]) -> Bool {
    while clients.waiting >= settings.waitingLimit {
      guard let publicID = clients.longestAbsent else { return false }
      forget(publicID, into: &actions)
    }
    return true
  }

  private mutating func forget(_ publicID: PublicID, into actions: inout [HubAction]) {
    clients[publicID] = nil
    actions.append(.forget(publicID))
    if let masterSession {
      actions.append(.send(.clientForgotten([publicID]), to: [masterSession]))
    }
  }

  /// Makes `session` the session of a client; another process with the same key is displaced: the
  /// one whose connection was opened first. Returns: whether one was; nil where it is this one.
  private mutating func enter(
    _ record: HubClient, _ register: Register, session: SessionID, _ opening: Opening,
    into actions: inout [HubAction]
  ) -> Bool? {
    let publicID = record.publicID
    let known = clients[publicID]
    var displaced = false
    if let old = known?.session {
      displaced = known?.incarnation != register.incarnation
      let parting =
        displaced
        ? Refused(
          code: .displaced,
          reason: "another process with the same private id took this one's place") : nil
      if let current = known?.opened, current > opening.since {
        // A registration that was long on its way, of a process that may not even live any more.
        _ = end(session)
        actions.append(.close(session, parting))
        return nil
      }
      _ = end(old)
      clients[publicID]!.session = nil
      relay.sessionClosed(old, into: &actions)
      // Away for a moment: the ONLINE that follows makes the others ask again for what was lost
      // with the old connection, leaves and changes.
      if record.admission == .approved {
        setPresence(publicID, .away, into: &actions)
        relay.ownerLost(publicID, reason: .away, into: &actions)
      }
      actions.append(.close(old, parting))
    }
    if known?.record != record { actions.append(.persist(record)) }
    handshakes.cancel(session)
    graces.cancel(publicID)
    sessions[session] = .registered(publicID)
    clients[publicID] = HubRoster.Client(
      record: record, session: session, presence: clients[publicID]?.presence ?? .gone,
      incarnation: register.incarnation, opened: opening.since)
    return displaced
  }

  private func acknowledgeMaster(
    _ session: SessionID, displaced: Bool, into actions: inout [HubAction]
  ) {
    var records = clients.sorted.filter { $0.record.publicID != .master }
      .map { $0.record.record(presence: $0.presence) }[...]
    repeat {
      let part = Array(records.prefix(Limits.clientsPerAck))
      records = records.dropFirst(part.count)
      let ack = MasterRegisterAck(clients: part, isLast: records.isEmpty, displaced: displaced)
      actions.append(.send(.masterAppRegisterAck(ack), to: [session]))
    } while !records.isEmpty
  }

  /// Where everybody is who may be known: the state from which the later messages go on.
  func sendPresence(to session: SessionID, into actions: inout [HubAction]) {
    var known: [Presence: [PublicID]] = [:]
    for publicID in clients.approved.sorted() {
      known[clients[publicID]!.presence, default: []].append(publicID)
    }
    for (presence, make) in [
      (Presence.gone, Message.gone), (.away, Message.away), (.online, Message.online),
    ] {
      var rest = known[presence, default: []][...]
      while !rest.isEmpty {
        let part = Array(rest.prefix(Limits.presencePerMessage))
        rest = rest.dropFirst(part.count)
        actions.append(.send(make(part), to: [session]))
      }
    }
  }
}
