package import Protocol

/// What a master knows of having been set back to an earlier state: by a backup, or by a disk that
/// lost writes. It outlives restarts, until a person has decided about each client that it leaves
/// in doubt.
package struct Restoration: Equatable, Sendable {
  /// How a master learns that others know more than it does.
  package enum Evidence: Equatable, Sendable {
    /// A member has seen changes that this journal does not have.
    case list(of: PublicID, seen: ListMark, head: ListMark)
    /// The hub keeps a later key of the group than this vault.
    case hubsKey(UInt32, ours: UInt32)
    /// A member had a later key of the group than this vault.
    case membersKey(of: PublicID, UInt32, ours: UInt32)
  }

  /// Why a client is not in, though nobody decided so here.
  package enum Doubt: Equatable, Sendable {
    /// It is out by this master's own record, but the hub has it as approved.
    case outHere
    /// It is out by the hub's record.
    case outByHub
    /// It is out by the record of a member.
    case outByMember(PublicID)
    /// The hub has it as approved, which this master does not remember.
    case unknown
  }

  /// Of the group key that was drawn when that was noticed last: what was decided under an earlier
  /// one may have been undone by what this master forgot. 0: it never was.
  package var generation: UInt32
  /// Who waits for a person's word, and why.
  package var doubts: [DeviceKey: Doubt]

  package init(generation: UInt32 = 0, doubts: [DeviceKey: Doubt] = [:]) {
    self.generation = generation
    self.doubts = doubts
  }
}

/// A master notices that it was set back.
extension Master {
  /// Doubts that are noted at most: a hub can make up as many clients as it likes.
  static let doubtsKept = 4_096

  /// Somebody knows more than this master: a new epoch begins, so that no place in the order is
  /// given away twice, and the hub is asked anew who is in. Returns: false where nothing of that is
  /// to be done any more.
  mutating func notice(
    _ evidence: Restoration.Evidence, into actions: inout [MasterAction]
  ) -> Bool {
    // A list without a change has given no place away.
    guard rebuilding == nil, replica.order.seq > 0, let epoch = spareEpoch else { return false }
    spareEpoch = nil
    drawsKey = true
    actions.append(.notice(evidence))
    restoration.generation = max(
      restoration.generation, generation < .max ? generation + 1 : generation)
    actions.append(.keepRestoration(restoration))
    beginEpoch(epoch)
    actions.append(.beginEpoch(replica.order))
    return true
  }

  /// Whose word says that the group has had a later key than this vault: the hub's, or that of a
  /// member that is in. What is beyond all reason is not believed.
  func laterKey(in records: [ClientRecord]) -> (generation: UInt32, evidence: Restoration.Evidence)?
  {
    var latest = generation
    var evidence: Restoration.Evidence?
    for record in records.sorted(by: { $0.publicID < $1.publicID }) {
      if !hasBelievedHub, record.generation > latest,
        isPossible(record.generation, Self.generationsPossible)
      {
        latest = record.generation
        evidence = .hubsKey(latest, ours: generation)
      }
      if record.reached > latest, isPossible(record.reached, Self.generationsOfMembers),
        let known = replica.members[record.publicID], known.key == record.key,
        known.admission == .approved, !believed.contains(record.key)
      {
        latest = record.reached
        evidence = .membersKey(of: record.publicID, latest, ours: generation)
      }
    }
    return evidence.map { (latest, $0) }
  }

  /// Whether the group can have come so far since this master was set back.
  private func isPossible(_ later: UInt32, _ atMost: UInt32) -> Bool {
    later - generation <= atMost
  }

  /// The group gets a key that is later than any that somebody has heard of. What was decided
  /// before is in doubt.
  mutating func drawKey(behind latest: UInt32, into actions: inout [MasterAction]) {
    drawsKey = false
    // At the very last generation there is no later one to draw.
    generation = latest < .max ? latest + 1 : latest
    restoration.generation = generation
    actions.append(.keepRestoration(restoration))
  }

  /// Those of them that could change something here, each key once.
  private func telling(_ records: [MemberRecord]) -> [MemberRecord] {
    guard restoration.generation > 0 else { return [] }
    var ours: [DeviceKey: UInt32] = [:]
    for member in replica.members.values where member.admission == .approved {
      if let key = member.key { ours[key] = min(ours[key] ?? .max, member.generation) }
    }
    var told: Set<DeviceKey> = []
    return records.filter { record in
      guard record.admission == .disapproved, record.generation < restoration.generation,
        record.signature.count == MemberRecord.signatureLength,
        let key = record.key, let known = ours[key], known < record.generation
      else { return false }
      return told.insert(key).inserted
    }
  }

  /// A member knows clients as out whom the list that it was given has in, or does not have. Only a
  /// master that was set back listens, and only to what it signed itself and is later than its own
  /// decision: who is out by anybody's record stays out until a person says. To look at a signature
  /// costs something: none is looked at that would change nothing, nor any behind one that does not
  /// hold.
  package mutating func reported(
    out records: [MemberRecord], by sender: PublicID, into actions: inout [MasterAction]
  ) {
    guard replica.members[sender]?.admission == .approved else { return }
    for record in telling(records) {
      guard signer.holds(record.signedBytes, record.signature) else { return }
      guard let key = record.key else { continue }
      let known = replica.members.values.filter {
        $0.key == key && $0.admission == .approved && $0.generation < record.generation
      }
      for member in known.sorted(by: { $0.publicID < $1.publicID })
      where replica.members[member.publicID]?.admission == .approved {
        putOut(member, into: &actions)
        doubt(key, .outByMember(sender), into: &actions)
      }
    }
  }

  /// Notes why somebody is not in.
  mutating func doubt(
    _ key: DeviceKey, _ doubt: Restoration.Doubt, into actions: inout [MasterAction]
  ) {
    guard restoration.doubts[key] != doubt,
      restoration.doubts.count < Self.doubtsKept || restoration.doubts[key] != nil
    else { return }
    restoration.doubts[key] = doubt
    actions.append(.keepRestoration(restoration))
  }

  /// A person has decided about somebody.
  mutating func isSettled(_ key: DeviceKey, into actions: inout [MasterAction]) {
    guard restoration.doubts.removeValue(forKey: key) != nil else { return }
    actions.append(.keepRestoration(restoration))
  }
}
