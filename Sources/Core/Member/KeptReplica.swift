package import Protocol

/// What a member can show of the list.
package enum ListStanding: Equatable, Sendable {
  /// There is no complete list yet: the member was never approved, or the first list has not come.
  case missing
  /// The list as it was last heard of.
  case complete
  /// The master has put this member out.
  case refused
}

/// One step of a replica, for a copy of it that outlives the process.
package struct ReplicaStep: Equatable, Sendable {
  package enum Effect: Equatable, Sendable {
    /// These things changed.
    case changed([PageItem])
    /// The list was taken anew.
    case renewed
    /// The member was put out.
    case dropped
  }

  /// Counts the steps of this process.
  package let number: UInt64
  package let effect: Effect
  /// How far the replica has come by it.
  package let reached: ListQuestion

  package init(number: UInt64, effect: Effect, reached: ListQuestion) {
    self.number = number
    self.effect = effect
    self.reached = reached
  }
}

/// All of a replica at one moment, for a copy of it.
package struct ReplicaSnapshot: Sendable {
  /// The number of the latest step that is in it.
  package let step: UInt64
  package let publicID: PublicID
  /// How far it has come: the question that somebody asks who has seen all of it.
  package let reached: ListQuestion
  /// Shares what it has with the replica that it was taken of.
  package let list: ShareList
  package let members: [MemberRecord]
}

/// A replica as it was kept from an earlier process.
package struct KeptReplica: Sendable {
  /// The number of the member whose it is.
  package let publicID: PublicID
  package private(set) var cursor: ListCursor = .start
  package private(set) var replica: Replica
  package init(of publicID: PublicID, hash: @escaping HistoryHash) {
    self.publicID = publicID
    replica = Replica(order: .none, hash: hash)
  }

  /// Takes something that changed on the way to where the replica is said to be next.
  package mutating func take(_ item: PageItem) { replica.take(item) }

  /// Takes all of the list, before anything else of it.
  package mutating func take(_ list: ShareList) { replica.take(list) }

  /// All that was taken is what changed on the way to where `reached` stands. Throws where that
  /// says nothing.
  package mutating func reach(_ reached: ListQuestion) throws(DecodingFault) {
    let mark = try reached.mark()
    replica.reached(reached.cursor.order, mark.history)
    cursor = reached.cursor
  }
}

extension Member {
  /// Goes on from what an earlier process knew, until something newer is heard: owners are away,
  /// their entries listed. Call once, before anything is received.
  package mutating func restore(
    _ kept: KeptReplica, now: Instant, into actions: inout [MemberAction]
  ) {
    precondition(!isMaster, "the master has its journal")
    precondition(
      standing == .missing && publicID == nil, "a list is restored before one is heard of")
    publicID = kept.publicID
    replica = kept.replica
    cursor = kept.cursor
    mark = replica.mark
    for owner in replica.list.owners where owner != publicID {
      presences[owner] = .away
      actions.append(.presence(owner, .away))
    }
    for member in replica.members.values.sorted(by: { $0.publicID < $1.publicID })
    where member.admission == .disapproved {
      noteDecision(member, now: now, into: &actions)
    }
    actions.append(.listed)
    stand(.complete, into: &actions)
  }

  /// All of the replica as it is now, for a copy of it; nil where there is nothing to keep.
  package var snapshot: ReplicaSnapshot? {
    guard let publicID, standing == .complete, !isMaster else { return nil }
    let kept = curtain?.shown ?? replica
    return ReplicaSnapshot(
      step: replicaSteps, publicID: publicID,
      reached: Self.reached(kept),
      list: kept.list, members: Array(kept.members.values))
  }

  /// How far a replica has come, whatever run of pages is under way.
  private static func reached(_ replica: Replica) -> ListQuestion {
    ListQuestion(
      cursor: ListCursor(order: replica.order, offset: 0, began: 0), mark: replica.mark)
  }

  /// Says what a copy of the replica lacks now.
  mutating func keep(_ effect: ReplicaStep.Effect, into actions: inout [MemberAction]) {
    if isMaster { return }
    replicaSteps += 1
    actions.append(
      .keep(ReplicaStep(number: replicaSteps, effect: effect, reached: Self.reached(replica))))
  }

  /// The same of one ordered change.
  mutating func keep(
    _ ordered: OrderedChange, _ deltas: [ListDelta], into actions: inout [MemberAction]
  ) {
    if isMaster { return }
    var items = deltas.map { delta -> PageItem in
      switch delta {
      case .upserted(let listed): .entry(listed)
      case .removed(let listed): .removed(listed.key)
      }
    }
    let member: PublicID? =
      switch ordered.change {
      case .approved(let record), .disapproved(let record): record.publicID
      case .named: ordered.sender
      default: nil
      }
    if let record = member.flatMap({ replica.members[$0] }) { items.append(.member(record)) }
    keep(.changed(items), into: &actions)
  }

  /// From now on the list stands so.
  mutating func stand(_ standing: ListStanding, into actions: inout [MemberAction]) {
    guard self.standing != standing else { return }
    self.standing = standing
    actions.append(.standing(standing))
  }
}
