import Core
import CoreMetrics
import DequeModule
package import Logging
package import Protocol
import Sealing
package import State
package import System
package import Transport

/// Binds the hub's state machine to the transport. All state is touched on the service thread only.
// SAFETY: the server calls its handler on one thread; the few calls from elsewhere go through
// `perform`.
package final class HubRuntime: HubServerHandler, @unchecked Sendable {
  /// The control session and the bulk streams of one member.
  private struct Plane {
    let challenge: [UInt8]
    let peer: String
    /// What its registration must be bound to: the hub's TLS key, or nothing without TLS.
    let channel: [UInt8]
    var down: ConnectionID?
    var up: ConnectionID?
    var tickets: BulkTickets?
  }

  /// How often time is looked at: fine enough for graces and lifetimes of seconds.
  private static let tickEvery: Duration = .milliseconds(250)

  var hub: Hub
  let registry: HubRegistry
  let stateFolder: String
  private let tls: TLSIdentity
  private let tagsAll: Bool
  /// Bytes that may wait for one session.
  var queueLimit: Int
  /// When the registry, which the disk did not take, is tried again; nil where it is as it should
  /// be.
  var registryTryAt: Instant?
  /// nil where the hub has a master.
  private var claim: ClaimCode?
  let log: Logger
  /// The log of what strangers bring about.
  let budget: LogBudget
  private(set) var server: HubServer?
  let meters = HubMeters()
  /// What other threads are told of this one.
  let shown = Locked(Shown())
  private var planes: [SessionID: Plane] = [:]
  private var tickets: [[UInt8]: (session: SessionID, direction: BulkDirection)] = [:]
  private var sessions: [ConnectionID: SessionID] = [:]

  /// Binds the address and reads the registry in `stateFolder`; nothing is served before `start`.
  /// `master`: who becomes the hub's master without a claim, where it has none. Throws: an ending
  /// where it has another.
  package init(
    listen: ListenAddress, stateFolder: String, settings: Settings, master: DeviceKey? = nil,
    log: Logger
  ) throws {
    var settings = settings
    if settings.fit(descriptors: DescriptorLimit.current) {
      log.notice(
        "\(DescriptorLimit.current) open files are allowed: at most \(settings.transport.connections) connections, and \(settings.hub.waitingLimit) clients that wait"
      )
    }
    try File.makeDirectories(stateFolder, mode: 0o700)
    let path = HubRegistry.path(in: stateFolder)
    var known = try Ending.rethrowing { () throws(StateFault) in
      try Privacy.check(folder: stateFolder)
      try Privacy.check(ifThere: "\(stateFolder)/\(TLSIdentity.keyName)")
      StateFile.removeLeftovers(in: stateFolder)
      return try HubRegistry.read(path) ?? HubRegistry.Content()
    }
    if let master, let other = known.master, other != master {
      throw Ending(
        .refused,
        "the hub in \(stateFolder) has another master: start it with the --state that it had, or remove that folder"
      )
    }
    known.master = known.master ?? master
    do throws(SystemError) { registry = try HubRegistry(path: path, continuing: known) } catch {
      throw Ending(StateFault(error))
    }
    if known.master == nil {
      claim = try ClaimCode.loadOrMake(in: stateFolder)
    } else {
      try ClaimCode.discard(in: stateFolder)
    }
    hub = Hub(
      settings: settings.hub, master: known.master, clients: known.clients,
      lastPublicID: known.lastPublicID, now: MonotonicClock.now)
    self.stateFolder = stateFolder
    tagsAll = settings.tagsAll
    queueLimit = settings.transport.controlQueueBytes
    self.log = log
    budget = LogBudget(log)
    do throws(SystemError) { tls = try TLSIdentity(folder: stateFolder) } catch {
      throw Ending(TLSFiles.fault(error, in: stateFolder))
    }
    server = try HubServer(
      listen: listen, tls: tls, plain: settings.plain, limits: settings.transport, handler: self,
      log: log)
  }

  /// Of the TLS key: what members pin.
  package var fingerprint: Fingerprint { tls.fingerprint }

  /// The port that is really listened on.
  package var port: UInt16 { server!.port }

  /// The code that makes its sender the master; nil where the hub has one. Before `start` only.
  package var claimCode: ClaimCode? { claim }

  /// Serves, on a thread of its own.
  package func start() throws(SystemError) {
    try server!.start()
    server!.perform { [self] in server!.setTimer(after: Self.tickEvery) }
  }

  /// Closes every connection and ends the thread.
  package func stop() {
    // It stays where it is: other threads may be about to ask it something, and it answers none.
    server?.stop()
  }
}

// MARK: - Handler: control plane

extension HubRuntime {
  package func controlOpened(_ id: ConnectionID, peer: String, isSecure: Bool) {
    let challenge = SecureRandom.bytes(Hello.challengeLength)
    planes[id] = Plane(
      challenge: challenge, peer: peer, channel: isSecure ? tls.fingerprint.bytes : [])
    hub.opened(
      id, from: peer, time: WallClock.seconds, now: MonotonicClock.now)
    log.debug("connected", metadata: ["session": "\(id)", "peer": "\(peer)"])
    meters.connections.increment()
    send(.hello(Hello(features: Hello.passesAddresses, challenge: challenge)), to: id)
  }

  package func controlReceived(_ id: ConnectionID, message bytes: [UInt8]) {
    guard let plane = planes[id] else { return }
    meters.messages.increment()
    let message: Message
    do throws(DecodingFault) { message = try Message(decoding: bytes) } catch {
      close(id, Refused(code: .protocolError, reason: "\(error)"))
      return
    }
    if case .masterAppRegister(let register) = message, let failure = keepClaim(register, plane) {
      return close(id, Refused(code: .claimNeeded, reason: failure))
    }
    let before = standing(message, of: id)
    step { hub, now, actions in
      switch message {
      case .masterAppRegister(let register):
        let holds = DeviceIdentity.proofHolds(
          register, asMaster: true, challenge: plane.challenge, channel: plane.channel)
        hub.masterRegisters(
          register, proofHolds: holds, claimHolds: claimHolds(register, plane),
          session: id, now: now, into: &actions)
      case .clientRegister(let register):
        let holds = DeviceIdentity.proofHolds(
          register, asMaster: false, challenge: plane.challenge, channel: plane.channel)
        hub.clientRegisters(
          register, proofHolds: holds, session: id, now: now, into: &actions)
      case .leave: hub.leaves(id, into: &actions)
      default: hub.received(message, session: id, now: now, into: &actions)
      }
    }
    switch message {
    case .masterAppRegister, .clientRegister:
      if hub.hasRegistered(id) { server?.admitted(id) }
    default: break
    }
    note(message, of: id, peer: plane.peer, before: before)
  }

  /// Who claims the hub is kept before anybody hears of it. Returns: why that cannot be; nil where
  /// there is no such claim, too.
  private func keepClaim(_ register: Register, _ plane: Plane) -> String? {
    guard hub.masterKey == nil, claimHolds(register, plane),
      DeviceIdentity.proofHolds(
        register, asMaster: true, challenge: plane.challenge, channel: plane.channel)
    else { return nil }
    do throws(SystemError) {
      try registry.note(master: register.key)
      return nil
    } catch {
      log.critical("the hub cannot keep who its master is: \(error)")
      return "the hub cannot keep who its master is: make room on its disk, and claim it again"
    }
  }

  private func claimHolds(_ register: Register, _ plane: Plane) -> Bool {
    claim?.isProved(by: register, challenge: plane.challenge, channel: plane.channel) ?? false
  }

  package func controlClosed(_ id: ConnectionID) {
    noteLoss(of: id)
    step { $0.closed(id, now: $1, into: &$2) }
    closeBulk(of: id)
    planes[id] = nil
  }

  package func timerFired() {
    budget.tick()
    var gone: [PublicID] = []
    step { gone = $0.tick(now: $1, into: &$2) }
    noteGone(gone)
    show()
    tickRegistry(now: MonotonicClock.now)
    if hub.isCongested, !planes.keys.contains(where: { isBehind($0, by: queueLimit / 32) }) {
      step { $0.setCongested(false, now: $1, into: &$2) }
    }
    server?.setTimer(after: Self.tickEvery)
  }
}

// MARK: - Handler: bulk plane

extension HubRuntime {
  package func bulkTicket(
    _ ticket: [UInt8], direction: BulkDirection, id: ConnectionID
  ) -> BulkGrant? {
    guard let found = tickets[ticket], found.direction == direction else { return nil }
    tickets[ticket] = nil
    sessions[id] = found.session
    let keys = planes[found.session]?.tickets?.tags
    switch direction {
    case .down:
      planes[found.session]?.down = id
      hub.openedDown(found.session)
      return BulkGrant(tags: keys.flatMap { FrameTagKey($0.down) })
    case .up:
      planes[found.session]?.up = id
      return BulkGrant(tags: keys.flatMap { FrameTagKey($0.up) })
    }
  }

  package func bulkReceived(_ id: ConnectionID, frame: [UInt8]) {
    guard let session = sessions[id] else { return }
    meters.bytesUp.increment(by: frame.count)
    step { $0.receivedFrame(frame, session: session, now: $1, into: &$2) }
  }

  package func bulkSent(_ id: ConnectionID, bytes: Int) {
    guard let session = sessions[id] else { return }
    meters.bytesDown.increment(by: bytes)
    step { $0.sentFrames(bytes: bytes, session: session, now: $1, into: &$2) }
  }

  /// A bulk stream dies with its control session, and the session with it: both are made anew.
  package func bulkClosed(_ id: ConnectionID) {
    guard let session = sessions.removeValue(forKey: id), let plane = planes[session],
      plane.down == id || plane.up == id
    else { return }
    close(session, nil)
  }
}

// MARK: - Actions

extension HubRuntime {
  private func step(_ body: (inout Hub, Instant, inout [HubAction]) -> Void) {
    var actions: [HubAction] = []
    body(&hub, MonotonicClock.now, &actions)
    // A loop, not a recursion: what is done may free credit, and bring about as many steps as
    // frames wait.
    var queue = Deque(actions)
    while let action = queue.popFirst() { perform(action, &queue) }
  }

  private func perform(_ action: HubAction, _ queue: inout Deque<HubAction>) {
    switch action {
    case .send(let message, let audience):
      guard let bytes = encoded(message) else { return }
      for session in audience {
        server?.sendControl(session, bytes)
        if !hub.isCongested, isBehind(session, by: queueLimit / 8) {
          step { $0.setCongested(true, now: $1, into: &$2) }
        }
      }
    case .close(let session, let refused): close(session, refused)
    case .issueTickets(let session): issueTickets(session)
    case .hold(let session, let isHeld): server?.hold(session, isHeld)
    case .closeBulk(let session): closeBulk(of: session)
    case .frame(let frame, let session):
      if let down = planes[session]?.down {
        server?.sendBulk(down, frame)
      } else {
        // Its stream is not open yet or no more: nothing is on the way, so the credit is free
        // again.
        var freed: [HubAction] = []
        hub.sentFrames(
          bytes: frame.count, session: session, now: MonotonicClock.now, into: &freed)
        queue += freed
      }
    case .persist(let client): persist { () throws(SystemError) in try registry.note(client) }
    case .forget(let publicID):
      persist { () throws(SystemError) in try registry.forget(publicID) }
    case .persistMaster:
      // Kept already, by `keepClaim`.
      claim = nil
      log.notice("the hub has a master now")
      persist { () throws(SystemError) in try ClaimCode.discard(in: stateFolder) }
    }
  }

  /// Whether more than this waits for a session: what all hear comes faster than it takes it.
  private func isBehind(_ session: SessionID, by bytes: Int) -> Bool {
    server.map { $0.controlQueued(session) > bytes } ?? false
  }

  private func send(_ message: Message, to session: SessionID) {
    if let bytes = encoded(message) { server?.sendControl(session, bytes) }
  }

  private func encoded(_ message: Message) -> [UInt8]? {
    do throws(DecodingFault) { return try message.encoded() } catch {
      budget.log(.error, "unsent messages", "a message was not sent: \(error)")
      return nil
    }
  }

  private func issueTickets(_ session: SessionID) {
    // Where no wire is between the two there is nobody on it, and marks cost .1 s/GB at each end.
    let isHere = planes[session].map { Loopback.contains($0.peer) } ?? false
    let keys = BulkTickets.TagKeys(
      down: SecureRandom.bytes(BulkTickets.keyLength), up: SecureRandom.bytes(BulkTickets.keyLength)
    )
    let drawn = BulkTickets(
      down: SecureRandom.bytes(BulkTickets.length), up: SecureRandom.bytes(BulkTickets.length),
      tags: isHere && !tagsAll ? nil : keys)
    closeBulk(of: session)
    planes[session]?.tickets = drawn
    tickets[drawn.down] = (session, .down)
    tickets[drawn.up] = (session, .up)
    send(.bulkTickets(drawn), to: session)
  }

  private func closeBulk(of session: SessionID) {
    guard let plane = planes[session] else { return }
    if let drawn = plane.tickets {
      tickets[drawn.down] = nil
      tickets[drawn.up] = nil
    }
    planes[session]!.tickets = nil
    planes[session]!.down = nil
    planes[session]!.up = nil
    for stream in [plane.down, plane.up].compactMap({ $0 }) {
      sessions[stream] = nil
      server?.closeBulk(stream)
    }
  }

  private func close(_ session: SessionID, _ refused: Refused?) {
    if let refused {
      meters.refused.increment()
      budget.log(
        .warning, "refused connections", "refused: \(refused.reason)",
        metadata: ["session": "\(session)", "peer": "\(planes[session]?.peer ?? "?")"])
      send(.refused(refused), to: session)
    }
    closeBulk(of: session)
    server?.closeControl(session, code: refused == nil ? 1000 : 1008, reason: refused?.reason ?? "")
  }
}
