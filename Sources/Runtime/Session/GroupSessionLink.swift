import Core
import CoreMetrics
import Logging
import Mount
package import Protocol
import Sealing
import System
package import Transport

/// What comes from the hub. Service thread of the link.
extension GroupSession: HubLinkHandler {
  package func linkOpened(hubKey: Fingerprint?, route: String?) {
    if let hubKey, !accepts(trust.meet(hub: hubKey)) { return }
    if let route { trust.reached(by: route) }
    state.withLock { state in
      state.isConnected = true
      state.channel = hubKey?.bytes ?? []
      state.hubFeatures = 0
      state.hubRoute = route
      state.clients = nil
      state.awaitsKey = false
    }
  }

  package func linkReceived(message bytes: [UInt8]) {
    do throws(DecodingFault) {
      let message = try Message(decoding: bytes)
      if isRefusal(message) { return }
      if let plain = try opened(message, from: .master) { try received(plain) }
    } catch {
      brokeProtocol("\(error)")
    }
  }

  package func linkReceived(frame: consuming [UInt8]) {
    do throws(DecodingFault) { try volume.reading.received(frame) } catch {
      brokeProtocol("\(error)")
    }
  }

  package func linkBulkReady() {
    volume.reading.linkReady()
    volume.keeping.newsCame()
    beginDirect()
  }

  package func linkSent(bulkBytes: Int) { volume.serving.taken(bytes: bulkBytes) }

  package func linkClosed(_ failure: LinkFailure) {
    let isLeaving = state.withLock { state -> Bool in
      state.isConnected = false
      state.isMasterRegistered = false
      state.failures += 1
      state.reconnectAt = MonotonicClock.now + BackOff.delay(after: state.failures)
      return state.isLeaving
    }
    direct.turnOff("the connection to the hub is lost")
    volume.linkLost()
    stepMember { member, _, actions in member.linkLost(into: &actions) }
    if isLeaving { return }
    meters.lost.increment()
    budget.log(.info, "lost connections", "not connected: \(failure)")
    if case .untrusted(let expected, let seen) = failure {
      report(.untrusted(trust.anotherHub(seen: seen, remembered: expected)))
      return
    }
    report(.linkFailed(failure))
  }

  package func linkTimerFired() {
    let now = MonotonicClock.now
    budget.tick(now: now)
    noteSleep(now: now)
    noteSuspension()
    let connects = state.withLock { state -> Bool in
      guard !state.isLeaving, let at = state.reconnectAt, now >= at else { return false }
      state.reconnectAt = nil
      return true
    }
    if connects { link.connect() }
    stepMember { $0.tick(now: $1, into: &$2) }
    state.withLock { $0.isHeadTimed = false }
    // It ticks after whatever it does.
    stepMaster { _, _, _ in }
    tickBacklog(now: now)
    signWhileWaiting(now: now)
    trust.tick(now: now)
    renewOldKey()
    showWholeList()
    saveMemory(now: now)
    if let due = volume.nextDeadline, now >= due { volume.tick() }
    direct.tick()
    link.setTimer(after: timeUntilTick)
  }

  /// A machine that sleeps, or a process that is stopped, hears nothing of its master, and nobody
  /// held that back.
  private func noteSleep(now: Instant) {
    let slept = state.withLock { state -> Duration in
      defer { state.tickedAt = now }
      return state.tickedAt.map { now - $0 } ?? .zero
    }
    if slept >= Self.sleepAtLeast { stepMember { member, _, _ in member.slept(slept) } }
  }

  /// The machine was suspended: whoever is connected to does not know of it, or has given this
  /// member up long ago. A new connection is there sooner than that is found out.
  private func noteSuspension() {
    let now = MonotonicClock.suspended
    let time = state.withLock { state -> Duration in
      defer { state.suspended = now }
      return now - state.suspended
    }
    guard time >= Self.suspensionAtLeast else { return }
    log.notice("this machine was suspended for \(time.components.seconds) s: connecting anew")
    state.withLock { state in
      state.failures = 0
      if state.reconnectAt != nil { state.reconnectAt = MonotonicClock.now }
    }
    link.drop("this machine was suspended")
  }

  private func received(_ message: Message) throws(DecodingFault) {
    // The master's own member hears of changes in this process; members' words come in FORWARDED.
    if isMaster, message.body != nil { throw .invalid("\(message.opcode): not for a master") }
    switch message {
    case .masterAppRegisterAck(let ack) where isMaster: try registered(ack)
    case .newClientRegistered(let record) where isMaster:
      budget.log(
        .notice, "registrations", "client \(record.publicID) registered: \(record.admission)",
        metadata: ["name": "\(record.name)"])
      hear { master, _, actions in master.clientRegistered(record, into: &actions) }
    case .forwarded(let sender, let inner) where isMaster: try forwarded(inner, from: sender)
    case .clientForgotten(let publicIDs) where isMaster:
      hear { master, _, _ in master.clientsForgotten(publicIDs) }
    case .groupKey(let key): try received(key)
    case .listHead(let head) where !isMaster: try received(head)
    case .clientDisApproved(let decision) where !isMaster: try received(decision, message)
    case .uploadChunkRequest(let request): volume.serving.requested(request)
    case .chunkFailed(let failure): volume.reading.chunkFailed(failure)
    case .addresses(let told): direct.told(told)
    default:
      if isMaster { notePresence(message) }
      if case .hello(let hello) = message { state.withLock { $0.hubFeatures = hello.features } }
      if case .clientRegisterAck(let ack) = message, !registered(ack) { return }
      stepMember { $0.received(message, now: $1, into: &$2) }
    }
  }

  /// CLIENT_DIS_APPROVED about ourselves, where we are not in: we cannot open it and need not.
  private func isRefusal(_ message: Message) -> Bool {
    guard case .clientDisApproved(let decision) = message else { return false }
    var isTaken = false
    step { state, _ in
      guard decision.publicID == state.member.publicID else { return }
      var actions: [MemberAction] = []
      isTaken = state.member.refusedUnsealed(into: &actions)
      state.enqueue(actions)
    }
    return isTaken
  }

  /// Only what the group sealed is believed. nil for what may be sealed under a key that was
  /// replaced, while a later one is awaited: what is missed so is asked for.
  private func opened(_ message: Message, from sender: PublicID) throws(DecodingFault) -> Message? {
    let me = state.withLock { $0.member.publicID }
    do throws(SealFault) { return try sealer.open(message, from: sender, as: me) } catch {
      if state.withLock({ $0.awaitsKey }) { return nil }
      if error == .notTheMaster {
        throw .invalid(
          "\(message.opcode): the hub, or a member through it, says it in the master's name")
      }
      throw .invalid("\(message.opcode): it is not sealed by the group (\(error))")
    }
  }

  /// Returns: false where the hub names a master that this device does not know: nothing more is
  /// heard of it.
  private func registered(_ ack: ClientRegisterAck) -> Bool {
    if let master = ack.master, !accepts(trust.meet(master: Fingerprint(of: master))) {
      return false
    }
    state.withLock { state in
      state.failures = 0
      state.masterKey = ack.master
    }
    if ack.displaced { report(.displacedAnother) }
    return true
  }

  /// Tells the user who was met. Returns: false, with the connection ended, for somebody who is not
  /// trusted.
  func accepts(_ event: GroupEvent?) -> Bool {
    guard let event else { return true }
    report(event)
    guard case .untrusted(let ending) = event else { return true }
    log.critical("\(ending)")
    link.disconnect()
    return false
  }

  private func notePresence(_ message: Message) {
    let (publicIDs, presence): ([PublicID], Presence)
    switch message {
    case .online(let ids): (publicIDs, presence) = (ids, .online)
    case .away(let ids): (publicIDs, presence) = (ids, .away)
    case .gone(let ids): (publicIDs, presence) = (ids, .gone)
    default: return
    }
    hear { master, _, actions in
      for publicID in publicIDs { master.presenceChanged(publicID, presence, into: &actions) }
    }
  }

  private func registered(_ ack: MasterRegisterAck) throws(DecodingFault) {
    let (complete, isTooMuch) = state.withLock { state -> ([ClientRecord]?, Bool) in
      var all = state.clients ?? []
      // Not as a copy: there may be many.
      state.clients = nil
      all += ack.clients
      guard all.count <= Master.clientsKept else { return (nil, true) }
      guard ack.isLast else {
        state.clients = all
        return (nil, false)
      }
      state.isMasterRegistered = true
      state.failures = 0
      return (all, false)
    }
    if isTooMuch { throw .tooLong("the list of clients") }
    guard let complete else { return }
    if ack.displaced { report(.displacedAnother) }
    hear(isTable: true) { $0.hubConnected(clients: complete, now: $1, into: &$2) }
    stepMember { $0.masterIsReady(now: $1, into: &$2) }
    tellName()
    report(.ready)
  }

  private func forwarded(_ inner: Message, from sender: PublicID) throws(DecodingFault) {
    let plain: Message
    if let device = state.withLock({ $0.master?.device(of: sender) }) {
      sealer.pair(sender, with: device, by: identity, isMaster: true)
    }
    do throws(SealFault) { plain = try sealer.open(inner, from: sender) } catch {
      refuse(inner, from: sender, error)
      return
    }
    if propose(plain, from: sender) { return drain() }
    switch plain {
    case .askFiles(let question):
      return hear(question: question, from: sender)
    case .clientsOut(let out):
      guard let records = try? out.records() else { break }
      return hear { master, _, actions in
        master.reported(out: records, by: sender, into: &actions)
      }
    default: break
    }
    // One member's nonsense is no reason to end the master's connection.
    budget.log(.warning, "nonsense", "member \(sender) sent the master \(plain.opcode)")
  }

  /// What was sealed just before the key changed is asked for again. Anything else is nobody's
  /// word; it has an answer all the same, since the hub waits for one before it passes on more.
  private func refuse(_ inner: Message, from sender: PublicID, _ fault: SealFault) {
    if let transfer = inner.named { send(.directed(to: sender, .serverNotReady(transfer))) }
    if case .generation(let generation) = fault, generation < sealer.generation {
      return
    } else {
      budget.log(
        .warning, "false messages",
        "a message in the name of member \(sender) is not sealed by the group: \(fault)")
    }
  }

  private func brokeProtocol(_ what: String) {
    let text = "\(hub) is not a hub, or breaks the protocol: \(what)"
    stepMember { _, _, actions in actions.append(.protocolError(text)) }
  }
}
