package import Protocol

/// The hub's clients: who is let in or put out, and who has the group's key.
extension Master {
  /// The hub acknowledged the registration and named all its clients.
  package mutating func hubConnected(
    clients records: [ClientRecord], now: Instant, into actions: inout [MasterAction]
  ) {
    clients = Dictionary(records.map { ($0.publicID, $0) }, uniquingKeysWith: { $1 })
    if let latest = records.map(\.generation).max(), hasLostKeys(ifMembersHave: latest) {
      // Members would take no earlier one.
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

  /// Whether the vault was lost: nothing was ever decided by it, and the hub keeps later keys. A hub that makes up
  /// a number beyond all reason is not believed.
  private func hasLostKeys(ifMembersHave latest: UInt32) -> Bool {
    latest > generation && generation == 1 && decided.isEmpty && latest <= Self.generationsPossible
  }

  /// What can be decided now about a client, and the generation of the group key with it: the program keeps
  /// both before it calls `approve` or `disapprove`. nil where the hub knows no such client, or every
  /// generation was used up.
  package func decision(
    _ publicID: PublicID, _ admission: Admission
  ) -> (member: MemberRecord, generation: UInt32)? {
    guard publicID != .master, let record = clients[publicID] else { return nil }
    let known = replica.members[publicID].flatMap { $0.key == record.key ? $0 : nil }
    let member = MemberRecord(
      publicID: publicID, name: known?.name ?? record.name, admission: admission,
      key: record.key)
    let isOut = admission == .disapproved && hasKey(record.key)
    guard generation < .max || !isOut else { return nil }
    return (member, isOut ? generation + 1 : generation)
  }

  /// Whether the device with this key was given the group's key, under whatever number.
  private func hasKey(_ key: DeviceKey) -> Bool {
    replica.members.values.contains { $0.key == key && $0.admission == .approved }
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
    guard let (member, next) = decision(publicID, admission), let key = member.key else {
      return false
    }
    clients[publicID]!.admission = admission
    decided[key] = admission
    actions.append(.keep(member, generation: next))
    if admission == .approved {
      actions.append(.giveKey(publicID, key))
      order(.approved(member), into: &actions)
      return true
    }
    let isNewKey = next != generation
    generation = next
    order(.disapproved(member), into: &actions)
    // A hub may have shown one device under several numbers: it is out under each.
    for other in replica.members.values.sorted(by: { $0.publicID < $1.publicID })
    where other.key == key && other.admission == .approved {
      refuse(number: other.publicID, name: other.name, key: key, into: &actions)
    }
    if isNewKey { renewKey(into: &actions) }
    return true
  }

  /// Puts a number out, whatever was decided about the device that the hub gives it to.
  private mutating func refuse(
    number publicID: PublicID, name: DeviceName, key: DeviceKey,
    into actions: inout [MasterAction]
  ) {
    clients[publicID]?.admission = .disapproved
    let member = MemberRecord(
      publicID: publicID, name: name, admission: .disapproved, key: key)
    order(.disapproved(member), into: &actions)
  }

  /// Everyone who is still in gets the new key; who is out has just been told, under the old one.
  private func renewKey(into actions: inout [MasterAction]) {
    actions.append(.useKey(generation))
    for publicID in replica.members.keys.sorted() where publicID != .master {
      let member = replica.members[publicID]!
      if member.admission == .approved, let key = member.key, decided[key] != .disapproved {
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
      refuse(number: record.publicID, name: record.name, key: record.key, into: &actions)
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
      refuse(number: record.publicID, name: record.name, key: record.key, into: &actions)
    } else if ours == nil, record.admission == .approved {
      // Approved by somebody whom this journal does not know: not by this master.
      refuse(number: record.publicID, name: record.name, key: record.key, into: &actions)
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
