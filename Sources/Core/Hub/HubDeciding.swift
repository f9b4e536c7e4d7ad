import Protocol

/// What the master decides about clients, and the group keys that follow from it.
extension Hub {
  func broadcast(_ message: Message, into actions: inout [HubAction]) {
    let audience = clients.approvedSessions
    if !audience.isEmpty { actions.append(.send(message, to: audience)) }
  }

  /// APPROVE_CLIENT. About a client that the hub does not know it is passed on all the same: it has
  /// its place in the order.
  mutating func approve(_ decision: Decision, into actions: inout [HubAction]) {
    let publicID = decision.publicID
    guard publicID != .master else { return }
    guard let client = clients[publicID], client.record.admission != .approved else {
      return broadcast(.clientApproved(decision), into: &actions)
    }
    clients[publicID]!.record.admission = .approved
    clients[publicID]!.record.outSince = 0
    actions.append(.persist(clients[publicID]!.record))
    if let session = client.session, let groupKey = client.record.groupKey {
      // Before it hears that it is in: the first thing that it does is to ask for the list.
      actions.append(.send(.groupKey(groupKey), to: [session]))
    }
    broadcast(.clientApproved(decision), into: &actions)
    guard let session = client.session else { return }
    actions.append(.issueTickets(session))
    sendPresence(to: session, into: &actions)
    clients[publicID]!.presence = .gone
    setPresence(publicID, .online, into: &actions)
  }

  /// DIS_APPROVE_CLIENT: its transfers end on both sides at once. Its connection stays, so that it
  /// hears of it, and may be let in again.
  mutating func disapprove(_ decision: Decision, into actions: inout [HubAction]) {
    let publicID = decision.publicID
    guard publicID != .master else { return }
    let before = clients[publicID]
    var audience = clients.approvedSessions
    if let session = before?.session, before?.record.admission != .approved {
      audience.append(session)
    }
    if !audience.isEmpty {
      actions.append(.send(.clientDisApproved(decision), to: audience))
    }
    guard let before else { return }
    let wasApproved = before.record.admission == .approved
    if wasApproved { setPresence(publicID, .gone, into: &actions) }
    clients[publicID]!.record.admission = .disapproved
    clients[publicID]!.record.groupKey = nil
    clients[publicID]!.record.outSince = decision.generation
    graces.cancel(publicID)
    if clients[publicID]!.record != before.record {
      actions.append(.persist(clients[publicID]!.record))
    }
    guard wasApproved else { return }
    if let session = before.session {
      relay.sessionClosed(session, into: &actions)
      actions.append(.closeBulk(session))
      // Gone for everyone, but the master may see that it is still connected.
      clients[publicID]!.presence = .online
      if let masterSession {
        let record = clients[publicID]!.record.record(presence: .online)
        actions.append(.send(.newClientRegistered(record), to: [masterSession]))
      }
    }
    relay.ownerShutOut(publicID, into: &actions)
  }

  /// GROUP_KEY: kept for whoever it is for, and passed on to one that is in. One that an older
  /// message brings late is dropped.
  mutating func keep(_ key: GroupKeyMessage, into actions: inout [HubAction]) {
    guard key.publicID != .master, let client = clients[key.publicID],
      key.generation >= client.record.groupKey?.generation ?? 0
    else { return }
    if client.record.groupKey != key {
      clients[key.publicID]!.record.groupKey = key
      actions.append(.persist(clients[key.publicID]!.record))
    }
    if client.record.admission == .approved, let session = client.session {
      actions.append(.send(.groupKey(key), to: [session]))
    }
    relay.generationReached(key.generation, into: &actions)
  }
}
