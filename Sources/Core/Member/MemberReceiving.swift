package import Protocol

/// What a member hears from the hub and the master.
extension Member {
  /// HELLO came: the first word on every connection.
  package mutating func greeted(_ hello: Hello, into actions: inout [MemberAction]) {
    guard hello.versions.common(with: .spoken) != nil else {
      actions.append(
        .protocolError(
          "the hub speaks \(hello.versions) of the protocol, this program "
            + "\(ProtocolVersions.spoken): update the older of the two"))
      return
    }
    if !isMaster { setPhase(.registering, into: &actions) }
    actions.append(.register(challenge: hello.challenge))
  }

  /// The connection is lost. Nothing is forgotten: what was not acked is sent again on the next
  /// one.
  package mutating func linkLost(into actions: inout [MemberAction]) {
    askAgainAt = nil
    presencesOfOut = [:]
    for publicID in presences.keys.sorted() where presences[publicID] == .online {
      presences[publicID] = .away
      actions.append(.presence(publicID, .away))
    }
    if isMaster { return }
    resendAt = nil
    if phase != .disapproved { setPhase(.disconnected, into: &actions) }
  }

  /// A control message, its body opened.
  package mutating func received(
    _ message: Message, now: Instant, into actions: inout [MemberAction]
  ) {
    do {
      if let ordered = try OrderedChange.decode(message) {
        received(ordered, now: now, into: &actions)
        return
      }
      switch message {
      case .hello(let hello): greeted(hello, into: &actions)
      case .refused(let refused): actions.append(.refusedByHub(refused))
      case .clientRegisterAck(let ack): registered(ack, now: now, into: &actions)
      case .bulkTickets(let tickets): actions.append(.openBulk(tickets))
      case .online(let publicIDs): setPresence(publicIDs, .online, now: now, into: &actions)
      case .away(let publicIDs): setPresence(publicIDs, .away, now: now, into: &actions)
      case .gone(let publicIDs): setPresence(publicIDs, .gone, now: now, into: &actions)
      case .serverNotReady(let transfer):
        if transfer == cursor.question, askAgainAt != nil {
          // The question was sealed under a key that the master no longer has.
          askAgainAt = min(askAgainAt ?? now, now + settings.retry / 4)
        } else if transfer.incarnation == incarnation, !outbox.sent.isEmpty {
          resendAt = min(resendAt ?? .seconds(Int64.max / 4), now + settings.retry / 4)
        }
      case .changeRefused(let refusal):
        refused(refusal.transfer, try refusal.reason(), now: now, into: &actions)
      case .filesPage(let page): try received(page, now: now, into: &actions)
      default: actions.append(.protocolError("\(message.opcode) is not for a member"))
      }
    } catch {
      actions.append(.protocolError("\(error)"))
    }
  }

  /// The hub's word that this client is out, which it cannot prove to somebody who never had the
  /// key, or who had it no more: only for those who are not in is that enough.
  package mutating func refusedUnsealed(into actions: inout [MemberAction]) -> Bool {
    guard phase == .waiting || phase == .disapproved else { return false }
    disapproved(into: &actions)
    return true
  }

  /// A change that the master ordered.
  package mutating func received(
    _ ordered: OrderedChange, now: Instant, into actions: inout [MemberAction]
  ) {
    if let publicID, case .approved(let member) = ordered.change, member.publicID == publicID,
      phase == .waiting || phase == .disapproved
    {
      if standing == .refused { stand(.missing, into: &actions) }
      catchUp(now: now, into: &actions)
      return
    }
    if let publicID, case .disapproved(let member) = ordered.change, member.publicID == publicID {
      disapproved(into: &actions)
      return
    }
    if phase == .live {
      if replica.isContinued(by: ordered, behind: uncovered.last) {
        came(ordered, now: now, into: &actions)
      } else if !isMaster, !isKnown(ordered) {
        misfits(ordered, now: now, into: &actions)
      }
    }
    if ordered.sender == publicID, ordered.transfer.incarnation == incarnation {
      answered(ordered, now: now, into: &actions)
    }
    dropForeignRemains(ordered, now: now, into: &actions)
  }

  /// The master restored its list from the journal. Call once. `isWhole`: whether the master waits
  /// for nobody to tell what the list had before; else `listIsWhole` follows.
  package mutating func adopt(
    _ replica: Replica, isWhole: Bool = true, now: Instant, into actions: inout [MemberAction]
  ) {
    precondition(isMaster, "only the master's own member takes a list as it is")
    own.setAllApart(in: listedOwn)
    self.replica = replica
    setPhase(.live, into: &actions)
    actions.append(.listed)
    if isWhole { listIsWhole(into: &actions) }
    reconcile(now: now, into: &actions)
    pump(now: now, into: &actions)
  }

  /// The master in this process has taken back what its members had in the list.
  package mutating func listIsWhole(into actions: inout [MemberAction]) {
    precondition(isMaster, "everyone else takes the list from the master")
    stand(.complete, into: &actions)
  }

  /// The master in this process takes changes from now on: what it put off is sent again at once.
  package mutating func masterIsReady(now: Instant, into actions: inout [MemberAction]) {
    precondition(isMaster, "everyone else hears ONLINE")
    resend(now: now, into: &actions)
  }

  private mutating func registered(
    _ ack: ClientRegisterAck, now: Instant, into actions: inout [MemberAction]
  ) {
    guard !isMaster else {
      actions.append(.protocolError("CLIENT_REGISTER_ACK is not for a master"))
      return
    }
    // The master's answers to itself have no mark: whoever had its number would take any.
    guard ack.publicID != .master else {
      actions.append(.protocolError("CLIENT_REGISTER_ACK: the number is the master's"))
      return
    }
    identified(as: ack.publicID, into: &actions)
    switch ack.admission {
    case .waiting:
      if standing == .refused { stand(.missing, into: &actions) }
      setPhase(.waiting, into: &actions)
    case .approved:
      if standing == .refused { stand(.missing, into: &actions) }
      catchUp(now: now, into: &actions)
    case .disapproved: disapproved(into: &actions)
    }
  }

  /// The hub gave this member its number. Another one than before makes what was ours somebody's
  /// who is not here.
  private mutating func identified(
    as number: PublicID, into actions: inout [MemberAction]
  ) {
    guard let before = publicID, before != number else {
      publicID = number
      return
    }
    raiseCurtain(into: &actions)
    own.setAllApart(in: listedOwn)
    publicID = number
    let changed =
      replica.list.entries(ownedBy: number).map { ListDelta.removed($0) }
      + replica.list.entries(ownedBy: before).map { .upserted($0) }
    if !changed.isEmpty { actions.append(.list(changed)) }
    // The copy says whose it is.
    keep(.renewed, into: &actions)
  }

  private mutating func disapproved(into actions: inout [MemberAction]) {
    stand(.refused, into: &actions)
    tell(shown.sorted.map { .removed($0) }, into: &actions)
    own.forgetAcks(in: listedOwn)
    replica = replica.emptied(at: .none)
    curtain = nil
    cursor = .start
    mark = .none
    knownOut = [:]
    run = nil
    keep(.dropped, into: &actions)
    askAgainAt = nil
    setPhase(.disapproved, into: &actions)
  }

  /// More than any group ever has: a hub can make up as many as it likes.
  private static let presencesKept = 65_536

  private mutating func setPresence(
    _ publicIDs: [PublicID], _ presence: Presence, now: Instant,
    into actions: inout [MemberAction]
  ) {
    for other in publicIDs where other != publicID {
      let before = presences[other]
      if before == nil, presences.count >= Self.presencesKept { continue }
      presences[other] = presence
      presencesOfOut[other] = nil
      actions.append(.presence(other, presence))
      if (before == .gone) != (presence == .gone) {
        let listed = shown.entries(ownedBy: other)
        if !listed.isEmpty {
          actions.append(.list(listed.map { presence == .gone ? .removed($0) : .upserted($0) }))
        }
      }
      if other == .master, presence == .online, before != .online, !isMaster {
        if phase == .live { setPhase(.synchronising, into: &actions) }
        if phase == .synchronising { ask(now: now, into: &actions) }
      }
    }
  }

  /// Somebody was let in or put out. The hub says nothing any more about who is out: nobody waits
  /// for that member.
  mutating func noteDecision(
    _ member: MemberRecord, now: Instant, into actions: inout [MemberAction]
  ) {
    let isOut = member.admission == .disapproved
    if let key = member.key, let known = knownOut[key],
      isOut || member.generation >= known.generation
    {
      knownOut[key] = nil
    }
    if member.publicID != publicID {
      actions.append(.decided(member.publicID, isIn: !isOut))
    }
    let presence = presences[member.publicID]
    if isOut, presence != .gone {
      setPresence([member.publicID], .gone, now: now, into: &actions)
      // It may already be the hub's word on one who was let in again.
      presencesOfOut[member.publicID] = presence
    } else if !isOut, let presence = presencesOfOut[member.publicID] {
      setPresence([member.publicID], presence, now: now, into: &actions)
    }
  }

  /// The list says that something is ours which is not: a withdrawn add whose first copy had its
  /// effect.
  private mutating func dropForeignRemains(
    _ ordered: OrderedChange, now: Instant, into actions: inout [MemberAction]
  ) {
    guard ordered.sender == publicID, phase == .live, ownIsWhole,
      case .added(let entries, _) = ordered.change
    else { return }
    for entry in entries where isRemnant(entry.id) { outbox.append(.remove(entry.id)) }
    pump(now: now, into: &actions)
  }

  func tell(_ deltas: [ListDelta], into actions: inout [MemberAction]) {
    let visible = deltas.filter { delta in
      switch delta {
      case .upserted(let listed), .removed(let listed): isVisible(listed)
      }
    }
    if !visible.isEmpty { actions.append(.list(visible)) }
  }

  mutating func setPhase(_ phase: MemberPhase, into actions: inout [MemberAction]) {
    guard self.phase != phase else { return }
    self.phase = phase
    // What nobody vouches for is asked for.
    if phase != .live { uncovered = UncoveredChanges() }
    actions.append(.phase(phase))
  }
}
