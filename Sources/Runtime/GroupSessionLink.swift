import Core
import Logging
import Mount
package import Protocol
import Sealing
import System
package import Transport

/// What comes from the hub. Service thread of the link.
extension GroupSession: HubLinkHandler {
  package func linkOpened(hubKey: Fingerprint?) {
    state.withLock { state in
      state.isConnected = true
      state.clients = nil
    }
  }

  package func linkReceived(message bytes: [UInt8]) {
    do throws(DecodingFault) {
      let message = try Message(decoding: bytes)
      guard let opened = sealer.open(message) else { throw .invalid("seal") }
      try received(opened)
    } catch {
      brokeProtocol("\(error)")
    }
  }

  package func linkReceived(frame: [UInt8]) {
    do throws(DecodingFault) { try volume.received(frame, sealer: sealer) } catch {
      brokeProtocol("\(error)")
    }
  }

  package func linkBulkReady() { volume.linkReady() }

  package func linkSent(bulkBytes: Int) { volume.uploadsTaken(bytes: bulkBytes, sealer: sealer) }

  package func linkClosed(_ failure: LinkFailure) {
    let isLeaving = state.withLock { state -> Bool in
      state.isConnected = false
      state.isMasterRegistered = false
      state.failures += 1
      state.reconnectAt = MonotonicClock.now + Self.backOff(after: state.failures)
      return state.isLeaving
    }
    volume.linkLost()
    stepMember { member, _, actions in member.linkLost(into: &actions) }
    if isLeaving { return }
    log.info("not connected: \(failure)")
    report(.linkFailed(failure))
  }

  package func linkTimerFired() {
    let now = MonotonicClock.now
    let connects = state.withLock { state -> Bool in
      guard !state.isLeaving, let at = state.reconnectAt, now >= at else { return false }
      state.reconnectAt = nil
      return true
    }
    if connects { link.connect() }
    stepMember { $0.tick(now: $1, into: &$2) }
    stepMaster { master, now, _ in master.tick(now: now) }
    if let due = volume.nextDeadline, now >= due { volume.tick() }
    link.setTimer(after: Self.tickEvery)
  }

  private func received(_ message: Message) throws(DecodingFault) {
    switch message {
    case .masterAppRegisterAck(let ack) where isMaster: registered(ack)
    case .newClientRegistered(let record) where isMaster:
      log.notice(
        "client \(record.publicID) registered: \(record.admission)",
        metadata: ["name": "\(record.name)"])
      stepMaster { master, _, actions in master.clientRegistered(record, into: &actions) }
    case .forwarded(let sender, let inner) where isMaster: try forwarded(inner, from: sender)
    case .uploadChunkRequest(let request): volume.uploadRequested(request, sealer: sealer)
    case .chunkFailed(let failure): volume.chunkFailed(failure)
    default:
      if isMaster { notePresence(message) }
      if case .clientRegisterAck = message { state.withLock { $0.failures = 0 } }
      stepMember { $0.received(message, now: $1, into: &$2) }
    }
  }

  private func notePresence(_ message: Message) {
    let (publicIDs, presence): ([PublicID], Presence)
    switch message {
    case .online(let ids): (publicIDs, presence) = (ids, .online)
    case .away(let ids): (publicIDs, presence) = (ids, .away)
    case .gone(let ids): (publicIDs, presence) = (ids, .gone)
    default: return
    }
    stepMaster { master, _, actions in
      for publicID in publicIDs { master.presenceChanged(publicID, presence, into: &actions) }
    }
  }

  private func registered(_ ack: MasterRegisterAck) {
    let complete = state.withLock { state -> [ClientRecord]? in
      let all = (state.clients ?? []) + ack.clients
      state.clients = ack.isLast ? nil : all
      guard ack.isLast else { return nil }
      state.isMasterRegistered = true
      state.failures = 0
      return all
    }
    guard let complete else { return }
    stepMaster { $0.hubConnected(clients: complete, now: $1, into: &$2) }
    stepMember { $0.masterIsReady(now: $1, into: &$2) }
    report(.ready)
  }

  private func forwarded(_ inner: Message, from sender: PublicID) throws(DecodingFault) {
    guard let opened = sealer.open(inner) else { return }
    if case .askFiles(let cursor) = opened {
      stepMaster { master, _, actions in master.asked(cursor, from: sender, into: &actions) }
      return
    }
    do throws(DecodingFault) {
      guard let (proposal, change) = try ProposedChange.decode(opened) else {
        throw .invalid("forwarded message")
      }
      stepMaster { $0.proposed(proposal, change, from: sender, now: $1, into: &$2) }
    } catch {
      // One member's nonsense is no reason to end the master's connection.
      log.warning("member \(sender) sent nonsense: \(error)")
    }
  }

  private func brokeProtocol(_ what: String) {
    let text = "\(hub) is not a hub, or breaks the protocol: \(what)"
    stepMember { _, _, actions in actions.append(.protocolError(text)) }
  }

  /// 0.1 s, doubled at each failure up to 5 s, each between half of it and the whole.
  private static func backOff(after failures: Int) -> Duration {
    let full = min(longestBackOff, 0.1 * Double(1 << min(failures - 1, 10)))
    let share = 0.5 + 0.5 * Double(SecureRandom.uint64() >> 11) / Double(1 << 53)
    return .milliseconds(Int64(full * share * 1_000))
  }
}
