import Core
import Protocol

/// The hub's process, and what of it outlives a restart.
struct HubHost {
  /// nil while it is down.
  var hub: Hub?
  var persisted: [PublicID: HubClient] = [:]
  var masterKey: DeviceKey?
  var lastPublicID = PublicID.master
  var tickAt: Instant?
  let settings: Hub.Settings
  /// What the hub has said that it decided, for the checks of who may be told what.
  var admissions: [PublicID: Admission] = [:]

  /// The registry is as it was once.
  mutating func goBack(to backup: HubHost) {
    persisted = backup.persisted
    masterKey = backup.masterKey
    lastPublicID = backup.lastPublicID
    admissions = backup.admissions
  }

  init(settings: Hub.Settings) { self.settings = settings }
}

extension Options {
  var hubSettings: Hub.Settings {
    var settings = Hub.Settings()
    settings.grace = .seconds(20)
    settings.relay.cacheLimit = 1 << 20
    settings.relay.credit = 600_000
    settings.relay.urgentCredit = 150_000
    settings.relay.wantedLimit = 64
    if liars == .members {
      // Room for honest owners beside liars that give nothing.
      settings.relay.credit = 2 << 20
      settings.relay.urgentCredit = 1 << 20
      settings.relay.wantedLimit = 256
      settings.forwarding = sabotage == .passAll ? LiarLimits.none : LiarLimits.forwarding
    }
    return settings
  }
}

extension World {
  func startHub() {
    guard hub.hub == nil else { return }
    note("hub starts")
    if !isSettling, statistics.hubRestarts > 0, random.chance(150) {
      note("the hub's registry is lost")
      statistics.lostRegistries += 1
      hubForgot = true
      hub.goBack(to: HubHost(settings: hub.settings))
    }
    hub.hub = Hub(
      settings: hub.settings, master: hub.masterKey,
      clients: hub.persisted.values.sorted { $0.publicID < $1.publicID },
      lastPublicID: hub.lastPublicID, now: now)
    armHub()
  }

  func stopHub() {
    note("hub stops")
    lastFault = now
    statistics.hubRestarts += 1
    hub.hub = nil
    hub.tickAt = nil
    for connection in connections.values.sorted(by: { $0.id < $1.id }) {
      connection.hubIsOpen = false
      connection.isCut = true
      connection.unread = []
      if connection.nodeIsOpen {
        events.put(.nodeSeesEnd(connection.id), at: now + random.span(0...3_000))
      }
    }
  }

  /// Lets the hub take one event and does what it wants done.
  func withHub(_ body: (inout Hub, inout [HubAction]) -> Void) {
    guard hub.hub != nil else { return }
    var actions: [HubAction] = []
    body(&hub.hub!, &actions)
    for action in actions { perform(action) }
    armHub()
  }

  func armHub() {
    guard let due = hub.hub?.nextDeadline else { return }
    if let at = hub.tickAt, at <= due { return }
    hub.tickAt = max(due, now)
    events.put(.hubTick, at: hub.tickAt!)
  }

  func tickHub() {
    guard hub.tickAt == now else { return }
    hub.tickAt = nil
    followCongestion()
    withHub { hub, actions in hub.tick(now: now, into: &actions) }
    if let due = hub.hub?.nextDeadline, due <= now { fail("the hub's tick left work undone") }
    if let cached = hub.hub?.cachedBytes, cached > hub.settings.relay.cacheLimit {
      fail("the hub keeps \(cached) bytes of leaves")
    }
  }

  private func perform(_ action: HubAction) {
    switch action {
    case .send(let message, let sessions): send(message, to: sessions)
    case .close(let session, let refused):
      if let refused {
        note("hub refuses \(session): \(refused.reason)")
        if let connection = connections[session], !connection.isCut, connection.nodeIsOpen {
          if isLiar(connection.peer) {
            statistics.liarsRefused += 1
          } else {
            fail("the hub refused session \(session): \(refused.reason)")
          }
        }
        send(.refused(refused), to: [session])
      }
      guard let connection = connections[session] else { return }
      connection.hubIsOpen = false
      connection.bulkIsOpen = false
      connection.unread = []
      if connection.nodeIsOpen, !connection.isCut {
        connection.lastDown = max(connection.lastDown, now) + .milliseconds(1)
        events.put(.nodeSeesEnd(session), at: connection.lastDown)
      }
      withHub { hub, actions in hub.closed(session, now: now, into: &actions) }
    case .hold(let session, let isHeld): hold(session, isHeld)
    case .issueTickets(let session):
      guard let connection = connections[session] else { return }
      connection.tickets += 1
      connection.bulkIsOpen = false
      connection.held = []
      connection.queuedDown = 0
      send(
        .bulkTickets(
          BulkTickets(
            down: [UInt8](repeating: UInt8(truncatingIfNeeded: connection.tickets), count: 32),
            up: [UInt8](repeating: 0, count: 32))),
        to: [session])
    case .closeBulk(let session):
      // Tickets that were not used yet are no longer good.
      connections[session]?.tickets += 1
      connections[session]?.bulkIsOpen = false
      connections[session]?.held = []
      connections[session]?.queuedDown = 0
    case .frame(let frame, let session): sendFrame(frame, to: session)
    case .persist(let client):
      hub.persisted[client.publicID] = client
      hub.admissions[client.publicID] = client.admission
      if verdicts[client.key] == client.admission {
        toldVerdicts.insert(client.key)
        overruled.remove(client.key)
      } else {
        overruled.insert(client.key)
      }
      hub.lastPublicID = max(hub.lastPublicID, client.publicID)
    case .forget(let publicID):
      hub.persisted[publicID] = nil
      hub.admissions[publicID] = nil
    case .persistMaster(let key): hub.masterKey = key
    }
  }

  private func send(_ message: Message, to sessions: [SessionID]) {
    guard let bytes = encodedByHub(message) else { return }
    var sessions = sessions
    let altered = sabotaged(message, sessions)
    if case .filesAdded = message, let victim = unapprovedVictim() { sessions.append(victim) }
    for session in sessions {
      guard let connection = connections[session] else { continue }
      if case .clientRegisterAck(let ack) = message { connection.publicID = ack.publicID }
      if case .masterAppRegisterAck = message { connection.publicID = .master }
      if connection.publicID != nil, connection.registeredAt == nil {
        connection.registeredAt = now
      }
      checkAudience(message, connection)
      let passed =
        session == altered?.victim ? [altered!.bytes] : passedOn(message, bytes, to: connection)
      for bytes in passed {
        down(bytes, on: connection)
        noteUntaken(bytes.count, connection)
      }
    }
  }

  /// A message of a liar may be so long that there is no room left to say whose it is: the runtime
  /// drops it, too.
  private func encodedByHub(_ message: Message) -> [UInt8]? {
    if case .forwarded(let sender, _) = message, isLiar(sender) { return try? message.encoded() }
    return encoded(message)
  }

  /// The hub reads nothing more of a session, or goes on where it stopped.
  private func hold(_ session: SessionID, _ isHeld: Bool) {
    guard let connection = connections[session] else { return }
    note("the hub \(isHeld ? "no longer reads" : "reads again") \(connection.peer)")
    connection.isHeld = isHeld
    guard !isHeld else { return }
    for bytes in connection.unread { events.put(.toHub(session, bytes), at: now) }
    connection.unread = []
  }

  /// Nobody who is not approved hears of entries, names, keys or presence, and nobody but the
  /// master of clients.
  private func checkAudience(_ message: Message, _ connection: Connection) {
    switch message {
    case .hello, .refused, .clientRegisterAck, .masterAppRegisterAck: return
    case .clientDisApproved(let decision) where decision.publicID == connection.publicID: return
    default: break
    }
    switch message {
    case .groupKey(let key) where key.publicID != connection.publicID:
      fail("the group key of \(key.publicID) for session \(connection.id)")
    case .addresses(let told) where !told.sealed.isEmpty && told.publicID != .master:
      if hub.admissions[told.publicID] != .approved {
        fail("where \(told.publicID) listens, who is not approved, for session \(connection.id)")
      }
    case .newClientRegistered, .clientForgotten, .forwarded:
      if connection.publicID != .master { fail("\(message.opcode) for a client") }
    default: break
    }
    guard let publicID = connection.publicID else {
      fail("\(message.opcode) for session \(connection.id), which nobody registered")
      return
    }
    if publicID != .master, hub.admissions[publicID] != .approved {
      fail("\(message.opcode) for \(publicID), who is not approved")
    }
  }

  private func sendFrame(_ frame: [UInt8], to session: SessionID) {
    guard let connection = connections[session], connection.hubIsOpen else { return }
    guard let publicID = connection.publicID,
      publicID == .master || hub.admissions[publicID] == .approved
    else { return fail("a leaf for session \(session), which is not approved") }
    connection.queuedDown += frame.count
    let relay = hub.settings.relay
    let bound = relay.limit + Limits.bulkFrame + BulkFrame.lengthField
    if connection.queuedDown > bound {
      fail("\(connection.queuedDown) bytes of leaves queue for session \(session)")
    }
    if connection.bulkIsOpen, takesLeaves(connection.peer) {
      downFrame(frame, on: connection)
    } else {
      connection.held.append(frame)
    }
  }
}
