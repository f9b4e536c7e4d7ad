package import Protocol

/// Names one control connection; never used again in a process.
package typealias SessionID = UInt64

/// What the hub wants done.
package enum HubAction: Equatable, Sendable {
  case send(Message, to: [SessionID])
  /// Say why, then close the control connection and the bulk streams that belong to it.
  case close(SessionID, Refused?)
  /// Draw one-time tickets, remember them for this session and send BULK_TICKETS.
  case issueTickets(SessionID)
  /// Close the bulk streams of a session and forget its tickets.
  case closeBulk(SessionID)
  /// Send a frame down to a session.
  case frame([UInt8], to: SessionID)
  /// Write the record of a client: it must outlive a restart.
  case persist(HubClient)
  /// Write whose key the master's is.
  case persistMaster(DeviceKey)
}

/// What the hub keeps of a client for good.
package struct HubClient: Equatable, Sendable {
  package let publicID: PublicID
  package let key: DeviceKey
  package var name: DeviceName
  package var system: String
  package var admission: Admission
  package init(
    publicID: PublicID, key: DeviceKey, name: DeviceName, system: String, admission: Admission
  ) {
    self.publicID = publicID
    self.key = key
    self.name = name
    self.system = system
    self.admission = admission
  }
}

/// The hub: knows who is connected and who is approved, passes control messages on, relays chunks.
/// It sees no names, no contents, no keys: bodies and leaves are opaque to it.
package struct Hub: Sendable {
  package struct Settings: Sendable {
    /// How long a lost client counts as away before it counts as gone.
    package var grace: Duration = .seconds(120)
    /// How long a connection may stay without registering.
    package var handshake: Duration = .seconds(10)
    /// Clients that may wait for approval at a time.
    package var waitingLimit = 1_000
    package var relay = ChunkRelay.Settings()
    package init() {}
  }

  enum SessionState: Equatable {
    case registering(since: Instant)
    case registered(PublicID)
  }

  struct Client {
    var record: HubClient
    var session: SessionID?
    var presence: Presence
    var goneAt: Instant?
    var incarnation: Incarnation?
    /// When the connection of its session was opened.
    var opened: Instant?
  }

  let settings: Settings
  var sessions: [SessionID: SessionState] = [:]
  var clients: [PublicID: Client] = [:]
  var byKey: [DeviceKey: PublicID] = [:]
  var masterKey: DeviceKey?
  var relay: ChunkRelay
  private var nextPublicID: UInt32 = 1

  /// A hub with what was persisted before: every known client counts as away from now on.
  package init(
    settings: Settings = Settings(), master: DeviceKey? = nil, clients known: [HubClient] = [],
    now: Instant = .zero
  ) {
    self.settings = settings
    masterKey = master
    relay = ChunkRelay(settings: settings.relay)
    for record in known {
      let isApproved = record.admission == .approved
      clients[record.publicID] = Client(
        record: record, session: nil, presence: isApproved ? .away : .gone,
        goneAt: isApproved && record.publicID != .master ? now + settings.grace : nil)
      byKey[record.key] = record.publicID
      nextPublicID = max(nextPublicID, record.publicID.value + 1)
    }
  }

  /// When `tick` is due; nil where nothing waits for time. Complexity: O(clients + sessions).
  package var nextDeadline: Instant? {
    var earliest = relay.nextDeadline
    func consider(_ instant: Instant) { earliest = min(earliest ?? instant, instant) }
    for client in clients.values { client.goneAt.map(consider) }
    for case .registering(let since) in sessions.values { consider(since + settings.handshake) }
    return earliest
  }

  /// Bytes of leaves at hand.
  package var cachedBytes: Int { relay.cachedBytes }

  package var masterSession: SessionID? { clients[.master]?.session }

  /// Clients that are connected and approved, the master not among them, in order.
  var approvedSessions: [SessionID] {
    clients.values.filter { $0.record.admission == .approved && $0.record.publicID != .master }
      .compactMap { $0.session }.sorted()
  }

  mutating func newPublicID() -> PublicID {
    defer { nextPublicID += 1 }
    return PublicID(nextPublicID)
  }
}

// MARK: - Connections

extension Hub {
  /// A control connection was opened; it must register within `Settings.handshake`.
  package mutating func opened(_ session: SessionID, now: Instant) {
    sessions[session] = .registering(since: now)
  }

  /// A control connection is gone.
  package mutating func closed(
    _ session: SessionID, now: Instant, into actions: inout [HubAction]
  ) {
    guard let state = sessions.removeValue(forKey: session) else { return }
    guard case .registered(let publicID) = state, clients[publicID]?.session == session else {
      return
    }
    clients[publicID]!.session = nil
    actions.append(.closeBulk(session))
    relay.sessionClosed(session, into: &actions)
    if clients[publicID]!.record.admission == .approved {
      clients[publicID]!.goneAt = publicID == .master ? nil : now + settings.grace
      setPresence(publicID, .away, into: &actions)
      relay.ownerLost(publicID, reason: .away, into: &actions)
    } else {
      setPresence(publicID, .gone, into: &actions)
    }
  }

  /// Time has passed: registrations that took too long, lost clients, leaves to clean.
  package mutating func tick(now: Instant, into actions: inout [HubAction]) {
    for (session, state) in sessions.sorted(by: { $0.key < $1.key }) {
      if case .registering(let since) = state, now >= since + settings.handshake {
        refuse(session, .protocolError, "no registration in time", into: &actions)
      }
    }
    for publicID in clients.keys.sorted() {
      if let goneAt = clients[publicID]?.goneAt, now >= goneAt {
        leaveForGood(publicID, into: &actions)
      }
    }
    relay.tick(now: now, into: &actions)
  }

  mutating func refuse(
    _ session: SessionID, _ code: RefusalCode, _ reason: String, into actions: inout [HubAction]
  ) {
    actions.append(.close(session, Refused(code: code, reason: reason)))
  }

  mutating func leaveForGood(_ publicID: PublicID, into actions: inout [HubAction]) {
    clients[publicID]?.goneAt = nil
    setPresence(publicID, .gone, into: &actions)
    relay.ownerLost(publicID, reason: .gone, into: &actions)
  }

  /// Notes where a client is and tells those who may know.
  mutating func setPresence(
    _ publicID: PublicID, _ presence: Presence, into actions: inout [HubAction]
  ) {
    guard clients[publicID]?.presence != presence else { return }
    clients[publicID]!.presence = presence
    let message: Message =
      switch presence {
      case .online: .online([publicID])
      case .away: .away([publicID])
      case .gone: .gone([publicID])
      }
    var audience: [SessionID] = []
    if clients[publicID]!.record.admission == .approved { audience = approvedSessions }
    if let masterSession, publicID != .master { audience.append(masterSession) }
    audience.removeAll { $0 == clients[publicID]!.session }
    if !audience.isEmpty { actions.append(.send(message, to: audience)) }
  }
}
