package import Protocol

/// The hub's clients: who is let in or put out, and who has the group's key.
extension Master {
  /// What can be decided now about a client, and the generation of the group key with it: the
  /// program keeps both before it calls `approve` or `disapprove`. nil where the hub knows no such
  /// client, or every generation was used up.
  package func decision(
    _ publicID: PublicID, _ admission: Admission
  ) -> (member: MemberRecord, generation: UInt32)? {
    guard publicID != .master, let record = clients[publicID] else { return nil }
    let known = replica.members[publicID].flatMap { $0.key == record.key ? $0 : nil }
    let isOut = admission == .disapproved && hasKey(record.key)
    guard generation < .max || !isOut else { return nil }
    let next = isOut ? generation + 1 : generation
    let member = MemberRecord(
      publicID: publicID, name: known?.name ?? record.name, admission: admission,
      key: record.key, generation: next
    ).signed(by: signer.sign)
    return (member, next)
  }

  /// Whether the device with this key was given the group's key, under whatever number.
  private func hasKey(_ key: DeviceKey) -> Bool {
    replica.members.values.contains { $0.key == key && $0.admission == .approved }
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
    if let key = clients[publicID]?.key { isSettled(key, into: &actions) }
    return decide(publicID, .approved, into: &actions)
  }

  /// Disapproves a client; false where the hub knows no such client.
  package mutating func disapprove(_ publicID: PublicID, into actions: inout [MasterAction]) -> Bool
  {
    if let key = clients[publicID]?.key { isSettled(key, into: &actions) }
    return decide(publicID, .disapproved, into: &actions)
  }

  /// Decides without a person: what was decided before is told again, or holds on.
  mutating func decide(
    _ publicID: PublicID, _ admission: Admission, into actions: inout [MasterAction]
  ) -> Bool {
    guard let (member, next) = decision(publicID, admission), let key = member.key else {
      return false
    }
    clients[publicID]!.admission = admission
    decided[key] = member
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

  /// Puts a member out, whether the hub knows it now or not.
  mutating func putOut(_ member: MemberRecord, into actions: inout [MasterAction]) {
    guard let key = member.key else { return }
    if clients[member.publicID]?.key != key {
      clients[member.publicID] = ClientRecord(member, key: key)
    }
    _ = decide(member.publicID, .disapproved, into: &actions)
  }

  /// Puts a number out, whatever was decided about the device that the hub gives it to.
  mutating func refuse(
    number publicID: PublicID, name: DeviceName, key: DeviceKey,
    into actions: inout [MasterAction]
  ) {
    clients[publicID]?.admission = .disapproved
    let member = MemberRecord(
      publicID: publicID, name: name, admission: .disapproved, key: key, generation: generation
    ).signed(by: signer.sign)
    order(.disapproved(member), into: &actions)
  }

  /// The key has been in use for long: everyone who is in gets another, those who are away when
  /// they come back. Nothing happens while a journal is rebuilt, or where there is no later one.
  package mutating func renewOldKey(into actions: inout [MasterAction]) {
    guard rebuilding == nil, !drawsKey, generation < .max else { return }
    generation += 1
    renewKey(into: &actions)
  }

  /// Everyone who is still in gets the new key; who is out has just been told, under the old one.
  func renewKey(into actions: inout [MasterAction]) {
    actions.append(.useKey(generation))
    for publicID in replica.members.keys.sorted() where publicID != .master {
      let member = replica.members[publicID]!
      if member.admission == .approved, let key = member.key,
        decided[key]?.admission != .disapproved
      {
        actions.append(.giveKey(publicID, key))
      }
    }
  }

  mutating func release(_ publicID: PublicID, into actions: inout [MasterAction]) {
    guard publicID != .master, replica.list.count(ownedBy: publicID) > 0 else { return }
    order(.released(publicID), into: &actions)
  }
}
