package import Protocol

/// The hub's clients: who is let in or put out, and who has the group's key.
extension Master {
  /// The hub acknowledged the registration and named all its clients.
  package mutating func hubConnected(
    clients records: [ClientRecord], now: Instant, into actions: inout [MasterAction]
  ) {
    clients = Dictionary(records.map { ($0.publicID, $0) }, uniquingKeysWith: { $1 })
    if let latest = records.map(\.generation).max(), latest > generation {
      // The keys were lost, and members have seen later ones: they would take no earlier one.
      generation = latest + 1
    }
    actions.append(.useKey(generation))
    // A journal without a single change knows of no approval either: whatever the hub has is older.
    let adopts = rebuilding?.adopted == false || replica.order.seq == 0
    for record in records.sorted(by: { $0.publicID < $1.publicID }) where record.publicID != .master
    {
      settle(record, adopts: adopts, into: &actions)
    }
    if adopts {
      let isAlone = !records.contains { $0.admission == .approved && $0.publicID != .master }
      rebuilding =
        isAlone
        ? nil
        : Rebuilding(
          adopted: true, until: now + settings.rebuildQuiet, limit: now + settings.rebuildLimit)
    }
  }

  /// A client that the hub has not named before asks to be let in, or one that it has came back.
  package mutating func clientRegistered(
    _ record: ClientRecord, into actions: inout [MasterAction]
  ) {
    clients[record.publicID] = record
    settle(record, adopts: false, into: &actions)
  }

  /// The hub no longer knows some clients that waited.
  package mutating func clientsForgotten(_ publicIDs: [PublicID]) {
    for publicID in publicIDs where replica.members[publicID] == nil { clients[publicID] = nil }
  }

  /// The hub's word on where a client is.
  package mutating func presenceChanged(
    _ publicID: PublicID, _ presence: Presence, into actions: inout [MasterAction]
  ) {
    clients[publicID]?.presence = presence
    if presence == .gone { release(publicID, into: &actions) }
  }

  /// Approves a client; false where the hub knows no such client.
  package mutating func approve(_ publicID: PublicID, into actions: inout [MasterAction]) -> Bool {
    decide(publicID, .approved, into: &actions)
  }

  /// Disapproves a client; false where the hub knows no such client.
  package mutating func disapprove(_ publicID: PublicID, into actions: inout [MasterAction]) -> Bool
  {
    decide(publicID, .disapproved, into: &actions)
  }

  private mutating func decide(
    _ publicID: PublicID, _ admission: Admission, into actions: inout [MasterAction]
  ) -> Bool {
    guard publicID != .master, var record = clients[publicID] else { return false }
    record.admission = admission
    clients[publicID] = record
    let known = replica.members[publicID].flatMap { $0.key == record.key ? $0 : nil }
    let name = known?.name ?? record.name
    let member = MemberRecord(
      publicID: publicID, name: name, admission: admission, key: record.key)
    decided[record.key] = admission
    if admission == .approved {
      actions.append(.keep(member, generation: generation))
      actions.append(.giveKey(publicID, record.key))
      order(.approved(member), into: &actions)
      return true
    }
    let hadKey = replica.members[publicID]?.admission == .approved
    if hadKey { generation += 1 }
    actions.append(.keep(member, generation: generation))
    order(.disapproved(member), into: &actions)
    if hadKey { renewKey(into: &actions) }
    return true
  }

  /// Everyone who is still in gets the new key; who is out has just been told, under the old one.
  private func renewKey(into actions: inout [MasterAction]) {
    actions.append(.useKey(generation))
    for publicID in replica.members.keys.sorted() where publicID != .master {
      let member = replica.members[publicID]!
      if member.admission == .approved, let key = member.key {
        actions.append(.giveKey(publicID, key))
      }
    }
  }

  /// Brings the hub's idea of a client and the master's together: the master's journal decides.
  private mutating func settle(
    _ record: ClientRecord, adopts: Bool, into actions: inout [MasterAction]
  ) {
    let ours = replica.members[record.publicID]?.admission
    if let known = replica.members[record.publicID], known.key != record.key {
      // The hub lost its registry and gave the number to another device: what was decided is not about it.
      _ = decide(record.publicID, .disapproved, into: &actions)
    } else if ours == .approved, decided[record.key] == .disapproved {
      // A crash came between the decision and its place in the journal.
      _ = decide(record.publicID, .disapproved, into: &actions)
    } else if adopts, ours == .approved, record.admission == .disapproved {
      // The journal's lost end may have held the disapproval: never let somebody in by guessing.
      _ = decide(record.publicID, .disapproved, into: &actions)
    } else if let ours, ours != record.admission {
      _ = decide(record.publicID, ours, into: &actions)
    } else if ours == nil, adopts, record.admission == .approved,
      decided[record.key] == .approved
    {
      _ = decide(record.publicID, .approved, into: &actions)
    } else if ours == nil, adopts, record.admission == .disapproved {
      _ = decide(record.publicID, .disapproved, into: &actions)
    } else if ours == nil, record.admission == .approved {
      // Approved by somebody whom this journal does not know: not by this master.
      _ = decide(record.publicID, .disapproved, into: &actions)
    } else if ours == .approved, record.generation < generation {
      actions.append(.giveKey(record.publicID, record.key))
    }
    if record.presence == .gone { release(record.publicID, into: &actions) }
  }

  private mutating func release(_ publicID: PublicID, into actions: inout [MasterAction]) {
    guard publicID != .master, replica.list.count(ownedBy: publicID) > 0 else { return }
    order(.released(publicID), into: &actions)
  }
}
