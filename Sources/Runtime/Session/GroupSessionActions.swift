import Core
import CoreMetrics
import Logging
import Mount
import Protocol
import Sealing
import State
import System
import Transport

/// What the state machines want done. One thread at a time, no lock held, in order.
extension GroupSession {
  func perform(_ work: Work) {
    switch work {
    case .member(let action): perform(action)
    case .list(let deltas, let others):
      volume.incoming.apply(deltas, showing: others)
      noteEvents(deltas)
      if deltas == nil { direct.checkMembers() }
    case .master(let action):
      if !state.withLock({ $0.backlog.keeps(action) }) { performOrKeep(action) }
    case .backlog: performBacklog()
    }
  }

  private func perform(_ action: MemberAction) {
    switch action {
    case .register(let challenge): register(challenge)
    case .send(let message): sendOrPropose(message)
    case .list, .listed: preconditionFailure("they are queued with what shows behind them")
    case .standing(let standing): volume.incoming.stands(standing)
    case .keep(let step): keeper?.note(step)
    case .answer(let token, let outcome):
      state.withLock { $0.waits.removeValue(forKey: token) }?(outcome)
    case .refused(let entry, let reason): volume.files.refused(entry, reason)
    case .renameRefused(let entry, let reason): volume.files.renameRefused(entry, reason)
    case .phase(let phase):
      let publicID = state.withLock { $0.member.publicID }
      if let publicID { volume.files.identified(publicID) }
      if phase == .disapproved {
        direct.turnOff("this member is out")
        volume.disapproved()
      }
      // A whole list says nothing of whom a master that was set back does not know any more.
      if phase == .live { direct.checkMembers() }
      budget.log(.info, "phases", "\(phase)")
      report(.phase(phase, publicID))
      if phase == .live, !isMaster {
        tellName()
        report(.ready)
      }
    case .presence(let publicID, let presence):
      let now = WallClock.seconds
      let isNews = state.withLock { $0.presenceTimes.note(publicID, presence, now: now) }
      if isNews {
        log(.notice, "presence", publicID, "is \(Self.shown(presence))")
        noteEvent(publicID, Self.eventText(presence))
      }
      volume.reading.presenceChanged(publicID, presence)
      volume.keeping.newsCame()
    case .decided(let publicID, let isIn):
      log(
        .notice, "decisions", publicID,
        isIn ? "was approved by the master" : "was put out by the master")
      noteEvent(publicID, isIn ? "was let in" : "was put out")
      if !isIn { direct.checkMembers() }
      volume.reading.decided(publicID, isIn: isIn)
    case .openBulk(let tickets): openBulk(tickets)
    case .fault(let fault): found(fault)
    case .refusedByHub(let refused):
      budget.log(.info, "refusals", "the hub refuses: \(refused.reason)")
      report(.refused(refused))
    case .protocolError(let what):
      budget.log(.info, "broken protocol", "the hub broke the protocol: \(what)")
      report(.protocolError(what))
      link.disconnect()
    }
  }

  /// A line about another member, who is called by number and name.
  private func log(_ level: Logger.Level, _ kind: String, _ publicID: PublicID, _ what: String) {
    let name = name(of: publicID)
    budget.log(
      level, kind, "member \(publicID) \(what)", metadata: name.isEmpty ? nil : ["name": "\(name)"])
  }

  /// Does what the master wants done. Throws where it has to be kept first, and the disk does not
  /// take it.
  func perform(_ action: MasterAction) throws(SystemError) {
    switch action {
    case .keep, .useKey, .giveKey: try performKeys(action)
    case .beginEpoch, .notice, .keepRestoration, .tell: try performRestoring(action)
    case .journal(let ordered):
      try journal!.append(ordered)
      compactJournal()
    case .publish(let ordered):
      masterMeters?.changes.increment()
      let isHeard = state.withLock { state -> Bool in
        state.told = (ordered.order, ordered.history)
        return state.isMasterRegistered
      }
      if isHeard { send(ordered.message(toHub: true), from: .master) }
      stepInPlace { $0.received(ordered, now: $1, into: &$2) }
      timeHead()
    case .sign(let order, let history, let version): sign(order, history, version)
    case .answer(let publicID, let message): answer(publicID, message)
    }
  }

  /// Tells one member something in the master's name.
  func answer(_ publicID: PublicID, _ message: Message) {
    masterMeters?.answers.increment()
    if publicID == .master {
      stepInPlace { $0.received(message, now: $1, into: &$2) }
    } else {
      send(message, from: .master, for: publicID) { .directed(to: publicID, $0) }
    }
  }

  private func openBulk(_ tickets: BulkTickets) {
    var tags: (down: any FrameTags, up: any FrameTags)?
    if let keys = tickets.tags, let down = FrameTagKey(keys.down), let up = FrameTagKey(keys.up) {
      tags = (down, up)
    }
    link.openBulk(down: tickets.down, up: tickets.up, tags: tags)
  }

  private func compactJournal() {
    do throws(SystemError) {
      try journal!.compactIfWorthIt { state.withLock { $0.master! } }
    } catch { log.error("the journal is not made shorter: \(error)") }
  }

  /// A step made while draining: what it wants done is queued behind what is there.
  func stepInPlace(_ body: (inout Member, Instant, inout [MemberAction]) -> Void) {
    state.withLock { state in
      var actions: [MemberAction] = []
      body(&state.member, MonotonicClock.now, &actions)
      state.enqueue(actions)
    }
  }

  /// The master's own member proposes to the master in the same process; everyone else to the hub.
  private func sendOrPropose(_ message: Message) {
    guard isMaster, message.proposal != nil else {
      send(message, from: state.withLock { $0.member.publicID } ?? .master)
      return
    }
    _ = propose(message, from: .master)
  }

  private func register(_ challenge: [UInt8]) {
    let (channel, name) = state.withLock { ($0.channel, $0.deviceName) }
    let code = isMaster ? ClaimCode(claim) : nil
    let register = identity.register(
      asMaster: isMaster, challenge: challenge, channel: channel,
      incarnation: incarnation, reached: isMaster ? 0 : trust.group.generation, name: name,
      system: system,
      claim: code?.proof(challenge: challenge, channel: channel, key: identity.key) ?? [])
    send(isMaster ? .masterAppRegister(register) : .clientRegister(register))
  }

  /// Sends a message that has no body.
  func send(_ message: Message) {
    do throws(DecodingFault) { link?.send(message: try message.encoded()) } catch {
      budget.log(.error, "unsent messages", "a message was not sent: \(error)")
    }
  }

  /// Sends a message with its body sealed as `sender`'s word, `for` the master or a member where it
  /// is for one; `wrap` puts it into another.
  func send(
    _ message: Message, from sender: PublicID, for peer: PublicID = .master,
    _ wrap: (Message) -> Message = { $0 }
  ) {
    do throws(SealFault) { send(wrap(try sealer.seal(message, from: sender, for: peer))) } catch {
      // Nobody takes part before it has the key; what is not answered is sent again.
      budget.log(.error, "unsealed messages", "a message was not sealed: \(error)")
    }
  }
}
