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
  package internal(set) var clients: [PublicID: ClientRecord] = [:]
  private var log: ChangeLog
  private var ledger = TransferLedger()
  let settings: Settings
  /// Of the group key: each disapproval of somebody who had it begins a new one.
  var generation: UInt32
  /// More disapprovals than any group ever makes: what a hub says beyond is made up.
  static let generationsPossible: UInt32 = 1 << 24
  /// What was decided about whom, apart from the journal: a lost one must not let the hub say who is in.
  var decided: [DeviceKey: Admission]
  /// The journal was lost: approvals and claims are taken back from the hub and the members first.
  var rebuilding: Rebuilding?

  struct Rebuilding {
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

  /// Whether members may still tell what the list had before its journal was lost.
  package var isTakingBack: Bool {
    rebuilding != nil && decided.values.contains(.approved)
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

// MARK: - Changes

extension Master {
  /// A proposal from a member, its body opened. Each gets an answer, however little sense it makes: what a member
  /// says wrong is no reason not to hear what it says next. Returns: false for a message that proposes nothing.
  package mutating func received(
    _ message: Message, from sender: PublicID, now: Instant, into actions: inout [MasterAction]
  ) -> Bool {
    guard let proposal = message.proposal else { return false }
    let decoded = try? ProposedChange.decode(message)
    proposed(
      proposal, decoded?.change, impossible: decoded?.impossible ?? [], from: sender, now: now,
      into: &actions)
    return true
  }

  /// A proposal from a member, or from the member in this process. `change`: nil where nothing can be told of what
  /// it wants. `impossible`: entries that nobody could take.
  package mutating func proposed(
    _ proposal: Proposal, _ change: ProposedChange?, impossible: [EntryID] = [],
    from sender: PublicID, now: Instant, into actions: inout [MasterAction]
  ) {
    guard sender == .master || replica.members[sender]?.admission == .approved else { return }
    switch ledger.judge(proposal, from: sender) {
    case .duplicate(let answer?):
      actions.append(.answer(to: sender, answer.message()))
      return
    case .duplicate(nil):
      // Of what was answered long ago the sender knows; a copy that the hub repeats is nobody's question.
      return
    case .refused(let reason): return refuse(proposal, reason, from: sender, into: &actions)
    case .past: return refuse(proposal, .outdated, from: sender, into: &actions)
    case .early:
      actions.append(.answer(to: sender, .serverNotReady(proposal.transfer)))
      return
    case .fresh: break
    }
    guard let change else {
      ledger.refuse(proposal.transfer, from: sender, .impossible)
      return refuse(proposal, .impossible, from: sender, into: &actions)
    }
    if rebuilding != nil, !reclaims(change, now: now) {
      actions.append(.answer(to: sender, .serverNotReady(proposal.transfer)))
      return
    }
    order(judged(change, impossible, from: sender), sender, proposal.transfer, into: &actions)
  }

  private func refuse(
    _ proposal: Proposal, _ reason: Rejection, from sender: PublicID,
    into actions: inout [MasterAction]
  ) {
    let refusal = ChangeRefusal(proposal.transfer, reason)
    actions.append(.answer(to: sender, .changeRefused(refusal)))
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
  private func judged(
    _ change: ProposedChange, _ impossible: [EntryID], from sender: PublicID
  ) -> Change {
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
      let nonsense = impossible.map { RejectedEntry(entry: $0, reason: .impossible) }
      return .added(trial.accepted, rejected: trial.rejected + nonsense)
    }
  }

  mutating func order(
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
