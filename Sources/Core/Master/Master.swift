package import Protocol

/// What the master app wants done.
package enum MasterAction: Equatable, Sendable {
  /// Keep a decision, and the key of this generation where it is a new one, for good: it must
  /// outlive even a crash of the machine. Comes before the `journal` of the same decision.
  case keep(MemberRecord, generation: UInt32)
  /// Seal with the key of this generation from here on; it is made where there is none.
  case useKey(UInt32)
  /// Wrap the key in use for this member, and tell it.
  case giveKey(PublicID, DeviceKey)
  /// Write to the journal; comes before the `publish` of the same change.
  case journal(OrderedChange)
  /// Tell everyone: the hub, and the member in this process.
  case publish(OrderedChange)
  /// Sign how far the list has come, and tell everyone.
  case sign(ListOrder, History, version: UInt16)
  /// Tell one member only.
  case answer(to: PublicID, Message)
  /// A new epoch begins with the list as it is: begin the journal anew, durably, tell the member in
  /// this process (`Member.epochBegan`), and connect to the hub anew.
  case beginEpoch(ListOrder)
  /// Somebody knows later changes or keys than this master: say so.
  case notice(Restoration.Evidence)
  /// Write what is known of the restoration, so that it outlives a restart.
  case keepRestoration(Restoration)
  /// What the hub must know of clients' numbers and keys.
  case tell(ClientTable)
}

/// The master app: approves and disapproves clients, accepts or rejects every change,
/// and gives each accepted change its place in the one order.
package struct Master: Sendable {
  package struct Settings: Sendable {
    /// How long after the last reclaimed entry a lost journal counts as rebuilt.
    package var rebuildQuiet: Duration = .seconds(2)
    /// How long rebuilding a lost journal lasts at most.
    package var rebuildLimit: Duration = .seconds(10)
    package var limits = ListLimits()
    package var versions = ProtocolVersions.spoken
    /// How long a change stays unsigned at most; more than one is signed at once then.
    package var coverWithin: Duration = .milliseconds(10)
    /// How often the list is signed where nothing changes.
    package var heartbeat: Duration = .seconds(30)
    /// Entries that one member may change, move or take off in a second, and as many at once.
    package var changedPerSecond = 10_000
    /// Removals remembered: a member away for longer takes the whole list again.
    package var tombstoneLimit = 65_536
    package init() {}
  }

  package internal(set) var replica: Replica
  /// All clients that the hub knows: waiting, approved and disapproved.
  package internal(set) var clients: [PublicID: ClientRecord] = [:]
  var log: ChangeLog
  var ledger = TransferLedger()
  let settings: Settings
  /// Of the group key: each disapproval of somebody who had it begins a new one.
  package internal(set) var generation: UInt32
  /// More keys than any group draws while a backup of its master is good for anything: a member
  /// that says it was more makes it up. Of all there are, few enough to lose by a lie.
  static let generationsOfMembers: UInt32 = 1 << 16
  /// The same for the hub's word, which repeats what members' lies made earlier masters draw.
  static let generationsPossible: UInt32 = 1 << 24
  /// What was decided about whom, apart from the journal: a lost one must not let the hub say who
  /// is in.
  var decided: [DeviceKey: MemberRecord]
  /// The journal was lost: approvals and claims are taken back from the hub and the members first.
  var rebuilding: Rebuilding?
  /// What this master knows of having been set back to an earlier state.
  package internal(set) var restoration: Restoration
  /// The epoch to begin should somebody turn out to know more than this journal; nil once it was
  /// begun, so that what somebody makes up costs one epoch in each run of the master, and no more.
  var spareEpoch: UInt64?
  /// Whether the next word of the hub ends in a new key.
  var drawsKey = false
  /// Members whose word of a later key was believed in this run: once each.
  var believed: Set<DeviceKey> = []
  /// Whether the hub's word of one was: once, too.
  var hasBelievedHub = false
  /// What is left of `Settings.changedPerSecond`.
  var work: MemberWork
  let signer: MasterSigner
  /// The place that was signed last, and when.
  var signed: (order: ListOrder, at: Instant)?

  struct Rebuilding {
    var adopted = false
    var until: Instant?
    var limit: Instant?
  }

  /// Places in the order whose histories are remembered: who has not been there for longer takes
  /// the whole list.
  package static let historiesKept = 65_536

  /// A master with an empty list. `spareEpoch`: a second random epoch, see there; `vault`: what was
  /// kept of decisions and keys; `isRebuilt`: whether the journal was lost.
  package init(
    epoch: UInt64, spareEpoch: UInt64, vault: MasterVault = MasterVault(),
    restoration: Restoration = Restoration(), settings: Settings = Settings(),
    isRebuilt: Bool = false, hash: @escaping HistoryHash, signer: MasterSigner
  ) {
    precondition(epoch != 0 && spareEpoch != 0, "epoch 0 means 'no list'")
    replica = Replica(
      order: ListOrder(epoch: epoch, seq: 0), histories: Self.historiesKept, hash: hash)
    self.settings = settings
    self.signer = signer
    self.spareEpoch = spareEpoch
    self.restoration = restoration
    generation = vault.generation
    decided = Dictionary(
      vault.decisions.compactMap { record in record.key.map { ($0, record) } },
      uniquingKeysWith: { $1 })
    log = ChangeLog(tombstoneLimit: settings.tombstoneLimit)
    work = MemberWork(perSecond: settings.changedPerSecond)
    rebuilding = isRebuilt ? Rebuilding() : nil
    // It ended before it drew the key.
    drawsKey = restoration.generation > vault.generation
  }

  /// Whether members may still tell what the list had before its journal was lost.
  package var isTakingBack: Bool {
    rebuilding != nil && decided.values.contains { $0.admission == .approved }
  }

  /// When `tick` is due.
  package var nextDeadline: Instant? {
    guard let until = rebuilding?.until, let due = headDue else {
      return rebuilding?.until ?? headDue
    }
    return min(until, due)
  }

  /// The key of a member that is in; nil for anybody else.
  package func device(of publicID: PublicID) -> DeviceKey? {
    guard let record = replica.members[publicID], record.admission == .approved else { return nil }
    return record.key
  }

  /// The kept answers, for the journal's snapshot.
  package var answers: [OrderedChange] { ledger.answers }
}

// MARK: - Changes

extension Master {
  /// What a member says to the master, its body opened: a proposal, a question, or who is out. Each
  /// proposal gets an answer, however little sense it makes: what a member says wrong is no reason
  /// not to hear what it says next. Returns: false for what is none of that.
  package mutating func received(
    _ message: Message, from sender: PublicID, now: Instant, into actions: inout [MasterAction]
  ) -> Bool {
    switch message {
    case .askFiles(let question):
      guard let mark = try? question.mark() else { return false }
      asked(question.cursor, seen: mark, from: sender, into: &actions)
      return true
    case .clientsOut(let out):
      guard let records = try? out.records() else { return false }
      reported(out: records, by: sender, into: &actions)
      return true
    default: break
    }
    guard let proposal = message.proposal else { return false }
    // Before anything is done about it, also where it was answered before: it is said again.
    if work.isSpent(sender, now: now) {
      actions.append(.answer(to: sender, .serverNotReady(proposal.transfer)))
      return true
    }
    let decoded = try? ProposedChange.decode(message)
    proposed(
      proposal, decoded?.change, impossible: decoded?.impossible ?? [], from: sender, now: now,
      into: &actions)
    return true
  }

  /// A proposal from a member, or from the member in this process. `change`: nil where nothing can
  /// be told of what it wants. `impossible`: entries that nobody could take.
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
      // Of what was answered long ago the sender knows; a copy that the hub repeats is nobody's
      // question.
      return
    case .refused(let reason): return refuse(proposal, reason, from: sender, into: &actions)
    case .past: return refuse(proposal, .outdated, from: sender, into: &actions)
    case .early:
      actions.append(.answer(to: sender, .serverNotReady(proposal.transfer)))
      return
    case .fresh: break
    }
    guard let change else {
      work.spend(MemberWork.name, for: sender, now: now)
      ledger.refuse(proposal.transfer, from: sender, .impossible)
      return refuse(proposal, .impossible, from: sender, into: &actions)
    }
    if rebuilding != nil, !reclaims(change, now: now) {
      actions.append(.answer(to: sender, .serverNotReady(proposal.transfer)))
      return
    }
    order(
      judged(change, impossible, from: sender, now: now), sender, proposal.transfer, into: &actions)
  }

  private func refuse(
    _ proposal: Proposal, _ reason: Rejection, from sender: PublicID,
    into actions: inout [MasterAction]
  ) {
    let refusal = ChangeRefusal(proposal.transfer, reason)
    actions.append(.answer(to: sender, .changeRefused(refusal)))
  }

  /// A member that has seen `mark` asks for what follows `cursor`.
  package mutating func asked(
    _ cursor: ListCursor, seen mark: ListMark, from asker: PublicID,
    into actions: inout [MasterAction]
  ) {
    guard replica.members[asker]?.admission == .approved else { return }
    let standing = standing(of: cursor, mark)
    // In the new epoch it asks again, as everyone does who hears that the master is back.
    if standing == .beyond,
      notice(.list(of: asker, seen: mark, head: replica.mark), into: &actions)
    {
      return
    }
    let page = log.page(
      after: cursor, isConfirmed: standing == .confirmed, for: asker, of: replica)
    actions.append(.answer(to: asker, .filesPage(page)))
  }

  private enum Standing {
    /// What it has was made by the changes of this journal.
    case confirmed
    /// It comes from another epoch, or from further back than is remembered.
    case unknown
    /// It has seen changes that this journal does not have.
    case beyond
  }

  private func standing(of cursor: ListCursor, _ mark: ListMark) -> Standing {
    guard cursor.order != .none, cursor.order.epoch == replica.order.epoch,
      cursor.order.seq <= mark.seq
    else { return .unknown }
    if mark.seq > replica.order.seq { return .beyond }
    guard let known = replica.histories[mark.seq] else { return .unknown }
    return known == mark.history ? .confirmed : .beyond
  }

  /// Time has passed, or something was done: a rebuilt journal is complete once nobody reclaims any
  /// more, and what has changed is signed.
  package mutating func tick(now: Instant, into actions: inout [MasterAction]) {
    if let until = rebuilding?.until, now >= until { rebuilding = nil }
    signHead(now: now, into: &actions)
  }

  private mutating func reclaims(_ change: ProposedChange, now: Instant) -> Bool {
    guard case .add(_, reclaims: true) = change, let limit = rebuilding?.limit else { return false }
    rebuilding?.until = min(now + settings.rebuildQuiet, limit)
    return true
  }

  /// What becomes of a proposed change; its effects on the way are applied one entry after the
  /// other.
  private mutating func judged(
    _ change: ProposedChange, _ impossible: [EntryID], from sender: PublicID, now: Instant
  ) -> Change {
    switch change {
    case .remove(let id):
      work.spend(MemberWork.removal, for: sender, now: now)
      return .removed(id)
    case .name(let name):
      work.spend(MemberWork.name, for: sender, now: now)
      return .named(name)
    case .rename(let id, let path):
      let entries = replica.list.entriesBelow(EntryKey(sender, id))
      work.spend(MemberWork.rename(of: entries), for: sender, now: now)
      return .renamed(
        id, to: path,
        rejection: replica.rejection(
          ofRenaming: id, to: path, by: sender, settings.limits))
    case .add(let entries, _):
      // Judged on a copy, since one entry of a batch may stand in the way of the next.
      var validator = BatchValidator(replica.list, owner: sender, limits: settings.limits)
      for entry in entries { validator.judge(entry) }
      work.spend(validator.work + impossible.count, for: sender, now: now)
      let nonsense = impossible.map { RejectedEntry(entry: $0, reason: .impossible) }
      return .added(validator.accepted, rejected: validator.rejected + nonsense)
    }
  }

  mutating func order(
    _ change: Change, _ sender: PublicID = .master,
    _ transfer: TransferID = TransferID(incarnation: 0, counter: 0),
    into actions: inout [MasterAction]
  ) {
    let ordered = replica.placed(change, from: sender, transfer)
    apply(ordered)
    actions.append(.journal(ordered))
    actions.append(.publish(ordered))
  }

  mutating func apply(_ ordered: OrderedChange) {
    let deltas = replica.apply(ordered)
    log.note(ordered, deltas: deltas)
    log.compact(replica)
    ledger.record(ordered)
  }
}
