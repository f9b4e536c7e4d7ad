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
  /// Read nothing more of a session's control connection, or go on.
  case hold(SessionID, Bool)
  /// Close the bulk streams of a session and forget its tickets.
  case closeBulk(SessionID)
  /// Send a frame down to a session.
  case frame([UInt8], to: SessionID)
  /// Write the record of a client: it must outlive a restart.
  case persist(HubClient)
  /// Drop the record of a client, but never give its number to another.
  case forget(PublicID)
  /// Write whose key the master's is.
  case persistMaster(DeviceKey)
}

/// The hub: knows who is connected and who is approved, passes control messages on, relays chunks.
/// It sees no names, no contents, no keys: bodies and leaves are opaque to it.
package struct Hub: Sendable {
  package struct Settings: Sendable {
    /// How long a lost client counts as away before it counts as gone.
    package var grace: Duration = .seconds(120)
    /// How long a connection may stay without registering.
    package var handshake: Duration = .seconds(10)
    /// Clients that may wait for approval at a time. Those that were decided about do not count.
    package var waitingLimit = 1_000
    package var relay = ChunkRelay.Settings()
    package var forwarding = Forwarding.Settings()
    package init() {}
  }

  /// What is known of a connection before it says who it is.
  struct Opening: Equatable, Sendable {
    let address: String
    /// Seconds since 1970.
    let time: Int64
    let since: Instant
  }

  enum SessionState: Equatable {
    case registering(Opening)
    /// It has proved its key, and waits for its number until the master has told which are taken.
    case held(Opening, Register)
    case registered(PublicID)
  }

  var settings: Settings
  var sessions: [SessionID: SessionState] = [:]
  var clients = HubRoster()
  package internal(set) var masterKey: DeviceKey?
  var relay: ChunkRelay
  var forwarding: Forwarding
  var addresses = HubAddresses()
  /// When connections must have registered.
  var handshakes = HubDeadlines<SessionID>()
  /// When lost clients count as gone.
  var graces = HubDeadlines<PublicID>()
  /// Whether numbers may be given: not before a hub without a registry has heard from its master
  /// which are taken.
  var knowsNumbers: Bool
  /// Sessions in `SessionState.held`, in their order, and maybe some that are no more.
  var heldSessions: [SessionID] = []
  /// The highest number that a client ever had: each is given once.
  package internal(set) var lastPublicID: PublicID

  /// A hub with what was persisted before: every approved client counts as away from now on.
  package init(
    settings: Settings = Settings(), master: DeviceKey? = nil, clients known: [HubClient] = [],
    lastPublicID: PublicID = .master, now: Instant = .zero
  ) {
    self.settings = settings
    self.lastPublicID = lastPublicID
    knowsNumbers = lastPublicID != .master || known.contains { $0.publicID != .master }
    masterKey = master
    forwarding = Forwarding(settings.forwarding)
    relay = ChunkRelay(
      settings: settings.relay, generation: known.compactMap { $0.groupKey?.generation }.max() ?? 0)
    for record in known {
      let isApproved = record.admission == .approved
      clients[record.publicID] = HubRoster.Client(
        record: record, session: nil, presence: isApproved ? .away : .gone)
      if isApproved, record.publicID != .master {
        graces.set(record.publicID, at: now + settings.grace)
      }
      self.lastPublicID = max(self.lastPublicID, record.publicID)
    }
  }

  /// When `tick` is due; nil where nothing waits for time.
  package var nextDeadline: Instant? {
    [relay.nextDeadline, forwarding.nextDeadline, graces.next, handshakes.next]
      .compactMap { $0 }.min()
  }

  /// Whether only those who say little to the master are heard now.
  package var isCongested: Bool { forwarding.isCongested }

  /// Bytes of leaves at hand.
  package var cachedBytes: Int { relay.cachedBytes }

  /// Everything that must outlive a restart, the master's record among it. O(clients).
  package var kept: [HubClient] { clients.sorted.map(\.record) }

  package var masterSession: SessionID? { clients[.master]?.session }

  /// nil where every number was given.
  mutating func newPublicID() -> PublicID? {
    guard lastPublicID.value < ClientTable.numbers - 1 else { return nil }
    lastPublicID = PublicID(lastPublicID.value + 1)
    return lastPublicID
  }
}

// MARK: - Connections

extension Hub {
  /// Whether a connection has shown whose it is.
  package func hasRegistered(_ session: SessionID) -> Bool {
    switch sessions[session] {
    case .registered, .held: true
    case .registering, nil: false
    }
  }

  /// A control connection was opened; it must register within `Settings.handshake`. `address`:
  /// numeric, without a port; `time`: seconds since 1970.
  package mutating func opened(
    _ session: SessionID, from address: String = "", time: Int64 = 0, now: Instant
  ) {
    let address = address.utf8.count > Limits.address ? "" : address
    sessions[session] = .registering(Opening(address: address, time: time, since: now))
    handshakes.set(session, at: now + settings.handshake)
  }

  /// A control connection is gone.
  package mutating func closed(
    _ session: SessionID, now: Instant, into actions: inout [HubAction]
  ) {
    guard let publicID = end(session), clients[publicID]?.session == session else { return }
    clients[publicID]!.session = nil
    addresses.forget(publicID)
    actions.append(.closeBulk(session))
    relay.sessionClosed(session, into: &actions)
    if clients[publicID]!.record.admission == .approved {
      if publicID != .master { graces.set(publicID, at: now + settings.grace) }
      setPresence(publicID, .away, into: &actions)
      relay.ownerLost(publicID, reason: .away, into: &actions)
    } else {
      setPresence(publicID, .gone, into: &actions)
    }
  }

  /// Time has passed: registrations that took too long, lost clients, leaves to clean. Returns: the
  /// lost clients that are not expected back any more.
  @discardableResult
  package mutating func tick(now: Instant, into actions: inout [HubAction]) -> [PublicID] {
    while let session = handshakes.takeDue(now: now) {
      refuse(session, .protocolError, "no registration in time", into: &actions)
    }
    var gone: [PublicID] = []
    while let publicID = graces.takeDue(now: now) {
      gone.append(publicID)
      leaveForGood(publicID, into: &actions)
    }
    relay.tick(now: now, into: &actions)
    passOn(now: now, into: &actions)
    return gone
  }

  /// Forgets a session. Returns: whose it was.
  mutating func end(_ session: SessionID) -> PublicID? {
    handshakes.cancel(session)
    guard case .registered(let publicID) = sessions.removeValue(forKey: session) else {
      return nil
    }
    return publicID
  }

  mutating func refuse(
    _ session: SessionID, _ code: RefusalCode, _ reason: String, into actions: inout [HubAction]
  ) {
    actions.append(.close(session, Refused(code: code, reason: reason)))
  }

  mutating func leaveForGood(_ publicID: PublicID, into actions: inout [HubAction]) {
    graces.cancel(publicID)
    setPresence(publicID, .gone, into: &actions)
    relay.ownerLost(publicID, reason: .gone, into: &actions)
  }

  /// Notes where a client is and tells those who may know.
  mutating func setPresence(
    _ publicID: PublicID, _ presence: Presence, into actions: inout [HubAction]
  ) {
    guard let client = clients[publicID], client.presence != presence else { return }
    clients[publicID]!.presence = presence
    if presence != .online {
      if publicID == .master {
        forwarding.forgetAll(into: &actions)
      } else {
        forwarding.forget(publicID, into: &actions)
      }
    }
    let message: Message =
      switch presence {
      case .online: .online([publicID])
      case .away: .away([publicID])
      case .gone: .gone([publicID])
      }
    var audience: [SessionID] = []
    if client.record.admission == .approved { audience = clients.approvedSessions }
    if let masterSession, publicID != .master { audience.append(masterSession) }
    audience.removeAll { $0 == client.session }
    if !audience.isEmpty { actions.append(.send(message, to: audience)) }
  }
}
