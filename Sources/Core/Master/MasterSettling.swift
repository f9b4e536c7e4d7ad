package import Protocol

/// Brings the hub's idea of its clients and the master's together. What was decided is decided
/// about keys; the numbers are what the list knows them by, so the master's table of both goes
/// before the hub's.
extension Master {
  /// The hub acknowledged the registration and named all its clients.
  package mutating func hubConnected(
    clients named: [ClientRecord], now: Instant, into actions: inout [MasterAction]
  ) {
    let records = named.filter { $0.publicID.value < ClientTable.numbers }
    clients = Dictionary(records.map { ($0.publicID, $0) }, uniquingKeysWith: { $1 })
    clients[.master] = nil
    // A journal without a single change knows of no approval either: whatever the hub has is older.
    let adopts = rebuilding?.adopted == false || replica.order.seq == 0 || drawsKey
    if let (latest, evidence) = laterKey(in: records) {
      if notice(evidence, into: &actions) { return }
      if !drawsKey { actions.append(.notice(evidence)) }
      believed.formUnion(records.filter { $0.reached > generation }.map(\.key))
      if case .hubsKey = evidence { hasBelievedHub = true }
      drawKey(behind: latest, into: &actions)
    } else if drawsKey {
      drawKey(behind: generation, into: &actions)
    }
    actions.append(.useKey(generation))
    var all = records.filter { $0.publicID != .master }
    all += tellTable(into: &actions)
    for record in all.sorted(by: { $0.publicID < $1.publicID }) {
      settle(record, adopts: adopts, into: &actions)
    }
    // Behind the keys: whom the hub answers now has its key at once.
    actions.append(.tell(ClientTable(records: [], highest: highestNumber, isLast: true)))
    if adopts {
      let isAlone = !all.contains { $0.admission == .approved }
      rebuilding =
        isAlone
        ? nil
        : Rebuilding(
          adopted: true, until: now + settings.rebuildQuiet, limit: now + settings.rebuildLimit)
    }
  }

  /// Far more than any hub knows: it can make up as many as it likes.
  package static let clientsKept = 262_144

  /// A client that the hub has not named before asks to be let in, or one that it has came back.
  package mutating func clientRegistered(
    _ record: ClientRecord, into actions: inout [MasterAction]
  ) {
    guard record.publicID != .master, record.publicID.value < ClientTable.numbers else { return }
    if clients[record.publicID] == nil, clients.count >= Self.clientsKept { return }
    clients[record.publicID] = record
    if let (latest, evidence) = laterKey(in: [record]) {
      if notice(evidence, into: &actions) { return }
      actions.append(.notice(evidence))
      believed.insert(record.key)
      if case .hubsKey = evidence { hasBelievedHub = true }
      drawKey(behind: latest, into: &actions)
      renewKey(into: &actions)
    }
    if let ours = numbered(record) {
      actions.append(.tell(ClientTable(records: [ours], highest: highestNumber, isLast: true)))
    }
    settle(record, adopts: false, into: &actions)
  }

  /// Tells the hub whom it lacks, or has under another number. Returns: them, as clients that are
  /// away.
  private mutating func tellTable(into actions: inout [MasterAction]) -> [ClientRecord] {
    var table = replica.members.filter { $0.key != .master && $0.value.key != nil }
    let keys = Set(table.values.compactMap(\.key))
    // What the journal lost the vault may still know.
    let remembered = decided.values.sorted {
      ($0.publicID.value, $0.generation) < ($1.publicID.value, $1.generation)
    }
    for record in remembered {
      guard let key = record.key, !keys.contains(key), table[record.publicID] == nil,
        record.publicID != .master
      else { continue }
      table[record.publicID] = record
    }
    let lacking = table.values.filter { clients[$0.publicID]?.key != $0.key }
      .sorted { $0.publicID < $1.publicID }
    var rest = lacking[...]
    while !rest.isEmpty {
      let part = Array(rest.prefix(Limits.clientsPerAck))
      rest = rest.dropFirst(part.count)
      actions.append(.tell(ClientTable(records: part, highest: highestNumber, isLast: false)))
    }
    // Whom the hub had under such a number is given another one.
    let told = lacking.compactMap { member in member.key.map { ClientRecord(member, key: $0) } }
    for record in told { clients[record.publicID] = record }
    return told
  }

  /// The highest number that this master has heard of.
  private var highestNumber: PublicID {
    max(replica.members.keys.max() ?? .master, clients.keys.max() ?? .master)
  }

  /// What the list says of a client that the hub names wrongly: it gave the number of a member to
  /// another key, or the key of a member another number. nil where the two agree.
  private func numbered(_ record: ClientRecord) -> MemberRecord? {
    if let known = replica.members[record.publicID] { return known.key == record.key ? nil : known }
    return replica.members.values.filter { $0.key == record.key }
      .min { $0.publicID < $1.publicID }
  }

  private mutating func settle(
    _ record: ClientRecord, adopts: Bool, into actions: inout [MasterAction]
  ) {
    // About a number that is another's nothing is decided: neither in its favour nor against
    // anybody.
    if numbered(record) != nil { return }
    switch replica.members[record.publicID] {
    case let ours? where ours.admission == .approved:
      settle(approved: ours, record, adopts: adopts, into: &actions)
    case let ours?:
      if let later = decided[record.key], later.admission == .approved,
        later.generation >= ours.generation
      {
        // The journal lost its end, or a crash came between the decision and its place there.
        _ = decide(record.publicID, .approved, into: &actions)
      } else if record.admission != .disapproved {
        // The hub's key for it is none that it had before it was put out.
        if record.admission == .approved, record.generation >= ours.generation {
          doubt(record.key, .outHere, into: &actions)
        }
        _ = decide(record.publicID, .disapproved, into: &actions)
      }
    case nil: settle(unknown: record, adopts: adopts, into: &actions)
    }
    if record.presence == .gone { release(record.publicID, into: &actions) }
  }

  private mutating func settle(
    approved ours: MemberRecord, _ record: ClientRecord, adopts: Bool,
    into actions: inout [MasterAction]
  ) {
    if decided[record.key]?.admission == .disapproved {
      // A crash came between the decision and its place in the journal.
      _ = decide(record.publicID, .disapproved, into: &actions)
    } else if record.admission == .disapproved, adopts || record.generation > ours.generation {
      // A later word than this one's: nobody is let in by guessing.
      // The reason is kept first: behind a crash between the two nobody would be told of it.
      doubt(record.key, .outByHub, into: &actions)
      _ = decide(record.publicID, .disapproved, into: &actions)
    } else if record.admission != .approved {
      _ = decide(record.publicID, .approved, into: &actions)
    } else if record.generation < generation {
      actions.append(.giveKey(record.publicID, record.key))
    }
  }

  private mutating func settle(
    unknown record: ClientRecord, adopts: Bool, into actions: inout [MasterAction]
  ) {
    let decision = decided[record.key]?.admission
    if adopts, decision == .approved, record.admission != .disapproved {
      _ = decide(record.publicID, .approved, into: &actions)
    } else if adopts, record.admission == .disapproved {
      if decision != .disapproved { doubt(record.key, .outByHub, into: &actions) }
      refuse(number: record.publicID, name: record.name, key: record.key, into: &actions)
    } else if record.admission == .approved {
      // Approved by somebody whom this master does not remember: a person is asked.
      clients[record.publicID]?.admission = .waiting
      let waiting = MemberRecord(
        publicID: record.publicID, name: record.name, admission: .waiting, key: record.key)
      actions.append(
        .tell(ClientTable(records: [waiting], highest: highestNumber, isLast: false)))
      doubt(record.key, .unknown, into: &actions)
    }
  }
}

extension ClientRecord {
  /// A client of which only the list tells.
  init(_ member: MemberRecord, key: DeviceKey) {
    self.init(
      publicID: member.publicID, key: key, name: member.name, system: "",
      admission: member.admission, presence: .away)
  }
}
