import Core
import Logging
import Protocol
import Sealing
import System
import Transport

/// The master's signed word: given by the master, verified by everyone else.
extension GroupSession {
  /// Signs how far the list has come, and tells everyone. While draining.
  func sign(_ order: ListOrder, _ history: History, _ version: UInt16) {
    let beat = state.withLock { state -> TransferID? in
      guard state.isMasterRegistered else { return nil }
      state.beats += 1
      return TransferID(incarnation: incarnation, counter: state.beats)
    }
    guard let beat else { return }
    let head = HeadProof(
      order: order, history: history, beat: beat, version: version, signedBy: identity.sign)
    state.withLock { state in
      state.lastHead = head
      state.signedAt = MonotonicClock.now
    }
    send(head.message, from: .master)
  }

  /// A master whose disk is full is there all the same, and the list as far as it was told: that is
  /// signed, so that nobody takes it for made up, or held back.
  func signWhileWaiting(now: Instant) {
    let due = state.withLock { state -> (order: ListOrder, history: History, version: UInt16)? in
      guard let master = state.master, state.backlog.trouble != nil, let last = state.lastHead,
        let at = state.signedAt
      else { return nil }
      let told = state.told ?? (last.order, last.history)
      guard told.order != last.order || now - at >= master.heartbeat else { return nil }
      return (told.order, told.history, last.version)
    }
    if let due { sign(due.order, due.history, due.version) }
  }

  /// Has what was published signed soon: the next look at time is further away than that.
  func timeHead() {
    let isNeeded = state.withLock { state -> Bool in
      guard let master = state.master, master.hasUnsigned, !state.isHeadTimed else { return false }
      state.isHeadTimed = true
      return true
    }
    if isNeeded { link?.perform { [self] in link.setTimer(after: timeUntilTick) } }
  }

  /// How soon time is to be looked at again. Service thread of the link.
  var timeUntilTick: Duration {
    state.withLock { state in
      guard let master = state.master, master.hasUnsigned, let due = master.nextDeadline else {
        return Self.tickEvery
      }
      state.isHeadTimed = true
      return min(Self.tickEvery, max(.milliseconds(1), due - MonotonicClock.now))
    }
  }

  /// LIST_HEAD came. Service thread of the link.
  func received(_ head: ListHead) throws(DecodingFault) {
    let proof = try head.proof()
    let key = state.withLock { state -> DeviceKey? in
      state.member.lacksProof(of: head.order, now: MonotonicClock.now) ? state.masterKey : nil
    }
    guard let key else { return }
    guard key.hasSigned(proof) else {
      throw .invalid("list head: the hub, or a member through it, says it in the master's name")
    }
    guard ProtocolVersions.spoken.contains(proof.version) else {
      throw .invalid(
        "list head: the master writes version \(proof.version) of the protocol, this program "
          + "speaks \(ProtocolVersions.spoken): update it")
    }
    stepMember { $0.proven(proof, now: $1, into: &$2) }
  }

  /// CLIENT_DIS_APPROVED came. About this member it must be the master's signed word, and a later
  /// one than the key that it has. Service thread of the link.
  func received(_ decision: Decision, _ message: Message) throws(DecodingFault) {
    let (me, master) = state.withLock { ($0.member.publicID, $0.masterKey) }
    if decision.publicID == me, let ordered = try OrderedChange.decode(message),
      case .disapproved(let record) = ordered.change
    {
      guard record.key == identity.key, record.generation > sealer.generation,
        master?.hasSigned(record) == true
      else {
        throw .invalid(
          "client disapproved: the hub, or a member through it, says it in the master's name")
      }
    }
    stepMember { $0.received(message, now: $1, into: &$2) }
  }

  /// What was passed on of the list is not what the master said. While draining.
  func found(_ fault: ListFault) {
    let what = Self.text(fault)
    state.withLock { $0.listFault = what }
    budget.log(
      .warning, "false lists",
      """
      \(what): the list is asked for anew. Where this comes again, the hub is broken or lies about \
      the list: leave it (fsharectl status shows how old the list is)
      """,
      metadata: ["hub": "\(hub)"])
  }

  private static func text(_ fault: ListFault) -> String {
    switch fault {
    case .withheld(let have, let signed):
      "the hub passed on changes up to \(have), and the master has made change \(signed)"
    case .forked(let seq):
      "change \(seq) is not what the master made of it: the hub passed on other changes than the "
        + "master has signed"
    case .silent(let time):
      "the hub says that the master is there, and has passed on nothing that it signed for "
        + "\(time.components.seconds) s"
    }
  }
}

extension DeviceIdentity {
  /// Of the master with this private id.
  var signer: MasterSigner {
    MasterSigner(sign: sign, holds: { [key] in key.hasSigned($0, $1) })
  }
}
