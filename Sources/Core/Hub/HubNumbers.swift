import Protocol

/// Which number is whose: the master's table goes before the hub's own idea, since the list knows
/// members by it.
extension Hub {
  /// A hub without a registry does not know which numbers are taken: who registers there waits
  /// until the master has told.
  mutating func hold(
    _ register: Register, _ opening: Opening, session: SessionID, into actions: inout [HubAction]
  ) {
    heldSessions.removeAll { if case .held = sessions[$0] { false } else { true } }
    guard heldSessions.count < settings.waitingLimit else {
      return refuse(
        session, .tooManyClients, "too many clients wait for the master", into: &actions)
    }
    handshakes.cancel(session)
    sessions[session] = .held(opening, register)
    heldSessions.append(session)
  }

  /// CLIENT_TABLE.
  mutating func takeTable(
    _ table: ClientTable, from session: SessionID, now: Instant, into actions: inout [HubAction]
  ) {
    let numbers = table.records.map(\.publicID) + [table.highest]
    guard numbers.allSatisfy({ $0.value < ClientTable.numbers }) else {
      return refuse(session, .protocolError, "a number beyond all numbers", into: &actions)
    }
    lastPublicID = max(lastPublicID, table.highest)
    for record in table.records {
      guard let key = record.key, key != masterKey, record.publicID != .master else { continue }
      if let known = clients[record.publicID], known.record.key == key {
        if record.admission == .waiting, known.record.admission == .approved {
          suspend(record.publicID, into: &actions)
        }
      } else {
        install(record, key, now: now, into: &actions)
      }
    }
    guard table.isLast, !knowsNumbers else { return }
    knowsNumbers = true
    let held = heldSessions
    heldSessions = []
    for session in held {
      guard case .held(let opening, let register) = sessions[session] else { continue }
      if register.key == masterKey {
        refuse(session, .displaced, "this device is the master now", into: &actions)
        continue
      }
      sessions[session] = .registering(opening)
      clientRegisters(register, proofHolds: true, session: session, now: now, into: &actions)
    }
  }

  /// A member whom this hub lacks, or has under another number.
  private mutating func install(
    _ member: MemberRecord, _ key: DeviceKey, now: Instant, into actions: inout [HubAction]
  ) {
    let before = clients[key].flatMap { clients[$0]?.record }
    if clients[member.publicID] != nil { remove(member.publicID, into: &actions) }
    if let before { remove(before.publicID, into: &actions) }
    let isOut = member.admission == .disapproved
    let record = HubClient(
      publicID: member.publicID, key: key, name: member.name, system: before?.system ?? "",
      address: before?.address ?? "", firstSeen: before?.firstSeen ?? 0,
      admission: member.admission, outSince: isOut ? member.generation : 0,
      reached: before?.reached ?? 0)
    lastPublicID = max(lastPublicID, member.publicID)
    clients[member.publicID] = HubRoster.Client(record: record, session: nil, presence: .gone)
    actions.append(.persist(record))
    guard member.admission == .approved else { return }
    graces.set(member.publicID, at: now + settings.grace)
    setPresence(member.publicID, .away, into: &actions)
  }

  /// Nobody has this number any more. Who is connected under it connects again, and gets the right
  /// one.
  private mutating func remove(_ publicID: PublicID, into actions: inout [HubAction]) {
    endSession(of: publicID, into: &actions)
    leaveForGood(publicID, into: &actions)
    clients[publicID] = nil
    actions.append(.forget(publicID))
  }

  /// The master does not remember having approved it: it waits again, and hears so when it connects
  /// again.
  private mutating func suspend(_ publicID: PublicID, into actions: inout [HubAction]) {
    endSession(of: publicID, into: &actions)
    leaveForGood(publicID, into: &actions)
    clients[publicID]!.record.admission = .waiting
    clients[publicID]!.record.groupKey = nil
    actions.append(.persist(clients[publicID]!.record))
  }

  private mutating func endSession(of publicID: PublicID, into actions: inout [HubAction]) {
    guard let session = clients[publicID]?.session else { return }
    _ = end(session)
    clients[publicID]!.session = nil
    relay.sessionClosed(session, into: &actions)
    actions.append(.close(session, nil))
  }
}
