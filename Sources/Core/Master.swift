package import Protocol

/// What the master app wants done.
package enum MasterAction: Equatable, Sendable {
  /// Keep a decision, and the key of this generation where it is a new one, for good: it must outlive even a
  /// crash of the machine. Comes before the `journal` of the same decision.
  case keep(MemberRecord, generation: UInt32)
  /// Seal with the key of this generation from here on; it is made where there is none.
  case useKey(UInt32)
  /// Wrap the key in use for this member, and tell it.
  case giveKey(PublicID, DeviceKey)
  /// Write to the journal; comes before the `publish` of the same change.
  case journal(OrderedChange)
  /// Tell everyone: the hub, and the member in this process.
  case publish(OrderedChange)
  /// Tell one member only.
  case answer(to: PublicID, Message)
}

/// The master app: approves and disapproves clients, accepts or rejects every change,
/// and gives each accepted change its place in the one order.
package struct Master: Sendable {
  package struct Settings: Sendable {
    /// How long after the last reclaimed entry a lost journal counts as rebuilt.
    package var rebuildQuiet: Duration = .seconds(2)
    /// How long rebuilding a lost journal lasts at most.
    package var rebuildLimit: Duration = .seconds(10)
    /// Entries in the list at most.
    package var entryLimit = 2_000_000
    /// Removals remembered: a member away for longer takes the whole list again.
    package var tombstoneLimit = 65_536
    package init() {}
  }

  package private(set) var replica: Replica
  /// All clients that the hub knows: waiting, approved and disapproved.
  package private(set) var clients: [PublicID: ClientRecord] = [:]
  private var log: ChangeLog
  private var ledger = TransferLedger()
  private let settings: Settings
  /// Of the group key: each disapproval of somebody who had it begins a new one.
  private var generation: UInt32
  /// What was decided about whom, apart from the journal: a lost one must not let the hub say who is in.
  private var decided: [DeviceKey: Admission]
  /// The journal was lost: approvals and claims are taken back from the hub and the members first.
  private var rebuilding: Rebuilding?

  private struct Rebuilding {
    var adopted = false
    var until: Instant?
    var limit: Instant?
  }

  /// A master with an empty list. `vault`: what was kept of decisions and keys. `isRebuilt`: whether the
  /// journal was lost.
  package init(
    epoch: UInt64, vault: MasterVault = MasterVault(), settings: Settings = Settings(),
    isRebuilt: Bool = false
  ) {
    precondition(epoch != 0, "epoch 0 means 'no list'")
    replica = Replica(order: ListOrder(epoch: epoch, seq: 0))
    self.settings = settings
    generation = vault.generation
    decided = Dictionary(
      vault.decisions.compactMap { record in record.key.map { ($0, record.admission) } },
      uniquingKeysWith: { $1 })
    log = ChangeLog(tombstoneLimit: settings.tombstoneLimit)
    rebuilding = isRebuilt ? Rebuilding() : nil
  }

  /// A master whose journal lost its end: what is left of it goes on in a new epoch, since the members
  /// may have seen more. Approvals and claims are then taken back as with a journal that is lost whole.
  package init(
    epoch: UInt64, vault: MasterVault = MasterVault(), settings: Settings = Settings(),
    survivor: Replica
  ) {
    self.init(epoch: epoch, vault: vault, settings: settings, isRebuilt: true)
    let order = ListOrder(epoch: epoch, seq: survivor.order.seq)
    beginSnapshot(order)
    for publicID in survivor.members.keys.sorted() {
      restore(.member(survivor.members[publicID]!), order: order)
    }
    for listed in survivor.list.sorted { restore(.entry(listed), order: order) }
  }

  /// When `tick` is due; nil where nothing waits for time.
  package var nextDeadline: Instant? { rebuilding?.until }

  /// The kept answers, for the journal's snapshot.
  package var answers: [OrderedChange] { ledger.answers }
}

// MARK: - From the journal

extension Master {
  /// A change from the journal.
  package mutating func restore(_ ordered: OrderedChange) { _ = apply(ordered) }

  /// A part of the journal's snapshot. Call before any `restore(_: OrderedChange)`.
  package mutating func restore(_ item: PageItem, order: ListOrder) {
    var deltas: [ListDelta] = []
    replica.take(item, into: &deltas)
    beginSnapshot(order)
    log.noteRestored(item, at: order)
  }

  /// The journal's snapshot was taken of an empty list.
  package mutating func restoreEmpty(order: ListOrder) { beginSnapshot(order) }

  /// A snapshot holds everything up to `order`, but not what was removed before.
  private mutating func beginSnapshot(_ order: ListOrder) {
    replica.reached(order)
    log.beginRestored(at: order)
  }

  /// A kept answer from the journal's snapshot.
  package mutating func restore(answer: OrderedChange) { ledger.record(answer) }
}

// MARK: - The hub and its clients

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

// MARK: - Changes

extension Master {
  /// A proposal from a member, or from the member in this process.
  package mutating func proposed(
    _ proposal: Proposal, _ change: ProposedChange, from sender: PublicID, now: Instant,
    into actions: inout [MasterAction]
  ) {
    guard sender == .master || replica.members[sender]?.admission == .approved else { return }
    switch ledger.judge(proposal, from: sender) {
    case .duplicate(let answer?):
      actions.append(.answer(to: sender, answer.message()))
      return
    case .duplicate(nil): return
    case .early:
      actions.append(.answer(to: sender, .serverNotReady(proposal.transfer)))
      return
    case .fresh: break
    }
    if rebuilding != nil, !reclaims(change, now: now) {
      actions.append(.answer(to: sender, .serverNotReady(proposal.transfer)))
      return
    }
    order(judged(change, from: sender), sender, proposal.transfer, into: &actions)
  }

  /// A member asks for what follows `cursor`.
  package func asked(_ cursor: ListCursor, from asker: PublicID, into actions: inout [MasterAction])
  {
    guard replica.members[asker]?.admission == .approved else { return }
    actions.append(.answer(to: asker, .filesPage(log.page(after: cursor, of: replica))))
  }

  /// Time has passed: a rebuilt journal is complete once nobody reclaims any more.
  package mutating func tick(now: Instant) {
    if let until = rebuilding?.until, now >= until { rebuilding = nil }
  }

  private mutating func reclaims(_ change: ProposedChange, now: Instant) -> Bool {
    guard case .add(_, reclaims: true) = change, let limit = rebuilding?.limit else { return false }
    rebuilding?.until = min(now + settings.rebuildQuiet, limit)
    return true
  }

  /// What becomes of a proposed change; its effects on the way are applied one entry after the other.
  private func judged(_ change: ProposedChange, from sender: PublicID) -> Change {
    switch change {
    case .remove(let id): return .removed(id)
    case .name(let name): return .named(name)
    case .rename(let id, let path):
      return .renamed(
        id, to: path, rejection: replica.rejection(ofRenaming: id, to: path, by: sender))
    case .add(let entries, _):
      // Judged on a copy, since one entry of a batch may stand in the way of the next.
      var trial = BatchTrial(replica.list, owner: sender, limit: settings.entryLimit)
      for entry in entries { trial.judge(entry) }
      return .added(trial.accepted, rejected: trial.rejected)
    }
  }

  private mutating func order(
    _ change: Change, _ sender: PublicID = .master,
    _ transfer: TransferID = TransferID(incarnation: 0, counter: 0),
    into actions: inout [MasterAction]
  ) {
    let next = ListOrder(epoch: replica.order.epoch, seq: replica.order.seq + 1)
    let ordered = OrderedChange(order: next, sender: sender, transfer: transfer, change: change)
    _ = apply(ordered)
    actions.append(.journal(ordered))
    actions.append(.publish(ordered))
  }

  private mutating func apply(_ ordered: OrderedChange) -> [ListDelta] {
    let deltas = replica.apply(ordered)
    log.note(ordered, deltas: deltas)
    log.compact(replica)
    ledger.record(ordered)
    return deltas
  }
}
