import DequeModule
package import Protocol

/// What the master remembers of each member's transfers, so that a second copy has no second effect
/// and gets the same answer. Memory: at most `Limits.answersKept` small answers per member.
package struct TransferLedger: Sendable {
  package enum Verdict: Equatable, Sendable {
    /// The next in its sequence: do it.
    case fresh
    /// Done before; the answer, where it is still kept.
    case duplicate(OrderedChange?)
    /// Refused before as a whole, and so again.
    case refused(Rejection)
    /// An earlier one has not come yet: the sender must send from its oldest again.
    case early
    /// Of a process that was followed by another one: somebody repeats what was said long ago.
    case past
  }

  private struct Account {
    let incarnation: Incarnation
    var highest: UInt64
    var answers: Deque<OrderedChange> = []
    /// Refused as a whole.
    var refusals: Deque<(transfer: TransferID, reason: Rejection)> = []
  }

  private var accounts: [PublicID: Account] = [:]

  package init() {}

  /// Judges a proposal. A later incarnation begins at the oldest counter that it has no answer for;
  /// an earlier one than was seen is over for good.
  package mutating func judge(_ proposal: Proposal, from sender: PublicID) -> Verdict {
    let transfer = proposal.transfer
    if let account = accounts[sender], transfer.incarnation < account.incarnation { return .past }
    if accounts[sender]?.incarnation != transfer.incarnation {
      guard proposal.oldest >= 1, proposal.oldest <= transfer.counter else { return .early }
      accounts[sender] = Account(incarnation: transfer.incarnation, highest: proposal.oldest - 1)
    }
    // Answers that its sender has, but a journal that lost its end no longer tells.
    if proposal.oldest <= transfer.counter, proposal.oldest > accounts[sender]!.highest {
      accounts[sender]!.highest = proposal.oldest - 1
    }
    let account = accounts[sender]!
    if transfer.counter <= account.highest {
      if let refusal = account.refusals.first(where: { $0.transfer == transfer }) {
        return .refused(refusal.reason)
      }
      return .duplicate(account.answers.first { $0.transfer == transfer })
    }
    return transfer.counter == account.highest + 1 ? .fresh : .early
  }

  /// Keeps that nothing of a transfer was taken. Requires: it was judged fresh.
  package mutating func refuse(_ transfer: TransferID, from sender: PublicID, _ reason: Rejection) {
    guard var account = accounts.removeValue(forKey: sender) else { return }
    account.highest = max(account.highest, transfer.counter)
    account.refusals.append((transfer, reason))
    if account.refusals.count > Limits.answersKept { account.refusals.removeFirst() }
    accounts[sender] = account
  }

  /// Keeps the answer to a transfer, without the entries that were taken: the asker knows them.
  package mutating func record(_ ordered: OrderedChange) {
    guard ordered.transfer.counter > 0 else { return }
    let transfer = ordered.transfer
    if accounts[ordered.sender]?.incarnation != transfer.incarnation {
      accounts[ordered.sender] = Account(
        incarnation: transfer.incarnation, highest: transfer.counter - 1)
    }
    var change = ordered.change
    if case .added(_, let rejected) = change { change = .added([], rejected: rejected) }
    accounts[ordered.sender]!.highest = max(
      accounts[ordered.sender]!.highest, transfer.counter)
    accounts[ordered.sender]!.answers.append(
      OrderedChange(
        order: ordered.order, sender: ordered.sender, transfer: transfer, change: change,
        history: ordered.history))
    if accounts[ordered.sender]!.answers.count > Limits.answersKept {
      accounts[ordered.sender]!.answers.removeFirst()
    }
  }

  /// Answers and refusals that are kept for each member.
  var loads: [PublicID: Int] { accounts.mapValues { $0.answers.count + $0.refusals.count } }

  /// The kept answers of all members, for the journal's snapshot.
  package var answers: [OrderedChange] {
    accounts.sorted { $0.key < $1.key }.flatMap { $0.value.answers }
  }
}
