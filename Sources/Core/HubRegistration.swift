package import Protocol

/// How connections become the master or a client.
extension Hub {
  /// MASTER_APP_REGISTER. `proofHolds`: whether the signature fits the challenge of this session.
  package mutating func masterRegisters(
    _ register: Register, proofHolds: Bool, session: SessionID, now: Instant,
    into actions: inout [HubAction]
  ) {
    guard case .registering(let opened) = sessions[session] else {
      return refuse(session, .protocolError, "registered already", into: &actions)
    }
    guard proofHolds else {
      return refuse(session, .badProof, "the proof does not fit the key", into: &actions)
    }
    if masterKey == nil {
      masterKey = register.key
      actions.append(.persistMaster(register.key))
    }
    guard masterKey == register.key else {
      return refuse(session, .notTheMaster, "this hub has another master", into: &actions)
    }
    let record = HubClient(
      publicID: .master, key: register.key, name: register.name, system: register.system,
      admission: .approved)
    guard enter(record, register, session: session, opened: opened, into: &actions) else { return }
    acknowledgeMaster(session, into: &actions)
    setPresence(.master, .online, into: &actions)
    actions.append(.issueTickets(session))
    sendPresence(to: session, into: &actions)
  }

  /// CLIENT_REGISTER. `proofHolds`: whether the signature fits the challenge of this session.
  package mutating func clientRegisters(
    _ register: Register, proofHolds: Bool, session: SessionID, now: Instant,
    into actions: inout [HubAction]
  ) {
    guard case .registering(let opened) = sessions[session] else {
      return refuse(session, .protocolError, "registered already", into: &actions)
    }
    guard proofHolds else {
      return refuse(session, .badProof, "the proof does not fit the key", into: &actions)
    }
    if register.key == masterKey {
      return refuse(session, .protocolError, "this key is the master's", into: &actions)
    }
    var record: HubClient
    if let publicID = byKey[register.key], let known = clients[publicID]?.record {
      record = known
      record.name = register.name
      record.system = register.system
    } else {
      let waiting = clients.values.count { $0.record.admission == .waiting }
      guard waiting < settings.waitingLimit else {
        return refuse(
          session, .tooManyClients, "too many clients wait for approval", into: &actions)
      }
      record = HubClient(
        publicID: newPublicID(), key: register.key, name: register.name, system: register.system,
        admission: .waiting)
    }
    guard enter(record, register, session: session, opened: opened, into: &actions) else { return }
    actions.append(
      .send(
        .clientRegisterAck(
          ClientRegisterAck(publicID: record.publicID, admission: record.admission)),
        to: [session]))
    let isApproved = record.admission == .approved
    clients[record.publicID]!.presence = isApproved ? clients[record.publicID]!.presence : .online
    if let masterSession {
      var announced = Hub.record(clients[record.publicID]!)
      announced.presence = .online
      actions.append(.send(.newClientRegistered(announced), to: [masterSession]))
    }
    if isApproved {
      actions.append(.issueTickets(session))
      sendPresence(to: session, into: &actions)
      setPresence(record.publicID, .online, into: &actions)
    }
  }

  /// LEAVE: gone at once.
  package mutating func leaves(_ session: SessionID, into actions: inout [HubAction]) {
    guard case .registered(let publicID) = sessions[session] else {
      // Somebody who goes before being let in.
      if sessions.removeValue(forKey: session) != nil { actions.append(.close(session, nil)) }
      return
    }
    sessions[session] = nil
    clients[publicID]!.session = nil
    relay.sessionClosed(session, into: &actions)
    leaveForGood(publicID, into: &actions)
    actions.append(.close(session, nil))
  }

  /// Makes `session` the session of a client; another process with the same key is displaced: the one
  /// whose connection was opened first. Returns: whether `session` is the client's now.
  private mutating func enter(
    _ record: HubClient, _ register: Register, session: SessionID, opened: Instant,
    into actions: inout [HubAction]
  ) -> Bool {
    let publicID = record.publicID
    let known = clients[publicID]
    if let old = known?.session {
      let isSameProcess = known?.incarnation == register.incarnation
      let parting =
        isSameProcess
        ? nil
        : Refused(
          code: .displaced,
          reason: "another process with the same private id took this one's place")
      if let current = known?.opened, current > opened {
        // A registration that was long on its way, of a process that may not even live any more.
        sessions[session] = nil
        actions.append(.close(session, parting))
        return false
      }
      sessions[old] = nil
      clients[publicID]!.session = nil
      relay.sessionClosed(old, into: &actions)
      // Away for a moment: the ONLINE that follows makes the others ask again for what was lost with
      // the old connection, leaves and changes.
      if record.admission == .approved { setPresence(publicID, .away, into: &actions) }
      relay.ownerLost(publicID, reason: .away, into: &actions)
      actions.append(.close(old, parting))
    }
    if known?.record != record { actions.append(.persist(record)) }
    sessions[session] = .registered(publicID)
    byKey[record.key] = publicID
    clients[publicID] = Client(
      record: record, session: session, presence: clients[publicID]?.presence ?? .gone, goneAt: nil,
      incarnation: register.incarnation, opened: opened)
    return true
  }

  private func acknowledgeMaster(_ session: SessionID, into actions: inout [HubAction]) {
    var records = clients.values.filter { $0.record.publicID != .master }
      .sorted { $0.record.publicID < $1.record.publicID }.map(Hub.record)[...]
    repeat {
      let part = Array(records.prefix(Limits.clientsPerAck))
      records = records.dropFirst(part.count)
      actions.append(
        .send(
          .masterAppRegisterAck(MasterRegisterAck(clients: part, isLast: records.isEmpty)),
          to: [session]))
    } while !records.isEmpty
  }

  /// Where everybody is who may be known: the state from which the later messages go on.
  func sendPresence(to session: SessionID, into actions: inout [HubAction]) {
    let known = clients.values.filter { $0.record.admission == .approved }
    func publicIDs(_ presence: Presence) -> [PublicID] {
      known.filter { $0.presence == presence }.map(\.record.publicID).sorted()
    }
    for (presence, make) in [
      (Presence.gone, Message.gone), (.away, Message.away), (.online, Message.online),
    ] {
      var rest = publicIDs(presence)[...]
      while !rest.isEmpty {
        let part = Array(rest.prefix(Limits.presencePerMessage))
        rest = rest.dropFirst(part.count)
        actions.append(.send(make(part), to: [session]))
      }
    }
  }

  static func record(_ client: Client) -> ClientRecord {
    ClientRecord(
      publicID: client.record.publicID, key: client.record.key, name: client.record.name,
      system: client.record.system, admission: client.record.admission, presence: client.presence)
  }
}
