import Core
import Protocol

/// What the master app's node does: journal first, then tell; and how it begins again.
extension World {
  func perform(_ action: MasterAction, _ node: Node) {
    guard let host = node.master else { return }
    switch action {
    case .keep(let decision, let generation): host.keep(decision, generation: generation)
    case .useKey(let generation): use(generation, node)
    case .giveKey(let publicID, _):
      guard host.hubIsReady else { return }
      let key = GroupKeyMessage(publicID: publicID, generation: node.generation, wrapped: [])
      up(.groupKey(key), from: node)
    case .journal(let ordered): journal(ordered, node, host)
    case .publish(let ordered):
      note("master publishes \(ordered.order.seq) from \(ordered.sender): \(brief(ordered.change))")
      withMember(node) { $0.received(ordered, now: now, into: &$1) }
      if host.hubIsReady { up(ordered.message(toHub: true), from: node) }
    case .answer(let to, let message):
      if options.sabotage == .swallowAnswers, now > .seconds(10), case .filesAdded = message {
        return
      }
      if to == .master {
        withMember(node) { $0.received(message, now: now, into: &$1) }
      } else {
        up(.directed(to: to, message), from: node)
      }
    }
  }

  private func journal(_ ordered: OrderedChange, _ node: Node, _ host: MasterHost) {
    if host.crashNext == .tornRecord {
      host.crashNext = nil
      note("master dies while it writes \(ordered.order.seq)")
      return restartMaster(node)
    }
    statistics.changes += 1
    host.journal.append(ordered)
    if let wrong = oracle.take(ordered) { return fail(wrong) }
    if ordered.transfer.counter > 0, sabotages(.repeatEffect) {
      let again = OrderedChange(
        order: ListOrder(epoch: ordered.order.epoch, seq: ordered.order.seq + 1),
        sender: ordered.sender, transfer: ordered.transfer, change: ordered.change)
      if let wrong = oracle.take(again) { return fail(wrong) }
    }
    if oracle.order == host.master.replica.order {
      let replica = host.master.replica
      let digest = Oracle.digest(of: replica.list.sorted, replica.members.values)
      if digest != oracle.digest(at: oracle.order) {
        fail("the master's list is not what its journal says, at \(oracle.order)")
      }
    }
    if host.crashNext == .untold {
      host.crashNext = nil
      note("master dies before it tells \(ordered.order.seq)")
      restartMaster(node)
    }
  }

  private func restartMaster(_ node: Node) {
    stop(node, cleanly: false)
    events.put(.nodeStarts(node.index), at: now + random.span(100...8_000))
  }

  /// A new master from what is left of the journal.
  func restoreMaster(_ host: MasterHost) {
    statistics.masterRestarts += 1
    let epoch = oracle.order.epoch
    var master = Master(epoch: epoch, vault: host.vault, settings: masterSettings)
    if let snapshot = host.snapshot { restore(snapshot, into: &master, host.vault) }
    for ordered in host.journal { master.restore(ordered) }
    host.master = master
    let kind = random.below(100)
    if kind < 12, !isSettling {
      note("the journal is lost")
      host.master = Master(
        epoch: random.next() | 1, vault: host.vault, settings: masterSettings, isRebuilt: true)
      begin(host)
    } else if kind < 24, !isSettling, !host.journal.isEmpty {
      let lost = 1 + random.below(min(host.journal.count, 6))
      note("the journal lost its last \(lost) records")
      host.journal.removeLast(lost)
      var rest = Master(epoch: epoch, vault: host.vault, settings: masterSettings)
      if let snapshot = host.snapshot { restore(snapshot, into: &rest, host.vault) }
      for ordered in host.journal { rest.restore(ordered) }
      host.master = Master(
        epoch: random.next() | 1, vault: host.vault, settings: masterSettings,
        survivor: rest.replica)
      begin(host)
    } else if host.isUnsettled {
      host.master = Master(
        epoch: random.next() | 1, vault: host.vault, settings: masterSettings,
        survivor: master.replica)
      begin(host)
    } else if kind < 50 {
      note("the journal is compacted")
      compact(host)
      var compacted = Master(epoch: epoch, vault: host.vault, settings: masterSettings)
      restore(host.snapshot!, into: &compacted, host.vault)
      host.master = compacted
    }
    let replica = host.master.replica
    let digest = Oracle.digest(of: replica.list.sorted, replica.members.values)
    if replica.order != oracle.order || digest != oracle.digest(at: oracle.order) {
      fail("the master does not come back as its journal says")
    }
  }

  private func begin(_ host: MasterHost) {
    host.isUnsettled = true
    compact(host)
    oracle.begin(with: host.master.replica)
  }

  private func compact(_ host: MasterHost) {
    let replica = host.master.replica
    host.journal = []
    host.snapshot = MasterHost.Snapshot(
      order: replica.order,
      items: replica.members.values.sorted { $0.publicID < $1.publicID }.map { .member($0) }
        + replica.list.sorted.map { .entry($0) },
      answers: host.master.answers)
  }

  private func restore(
    _ snapshot: MasterHost.Snapshot, into master: inout Master, _ vault: MasterVault
  ) {
    // A snapshot may be of another epoch than the journal began with.
    if snapshot.order.epoch != master.replica.order.epoch {
      master = Master(epoch: snapshot.order.epoch, vault: vault, settings: masterSettings)
    }
    if snapshot.items.isEmpty { master.restoreEmpty(order: snapshot.order) }
    for item in snapshot.items { master.restore(item, order: snapshot.order) }
    for answer in snapshot.answers { master.restore(answer: answer) }
  }

  private func brief(_ change: Change) -> String {
    switch change {
    case .added(let entries, let rejected):
      "added \(entries.map { text($0.path) }) rejected \(rejected.map(\.reason))"
    case .removed(let id): "removed \(id.low % 10_000)"
    case .renamed(_, let path, let rejection):
      "renamed to \(text(path)) \(rejection.map { "\($0)" } ?? "done")"
    case .named(let name): "named \(name)"
    case .approved(let member): "approved \(member.publicID)"
    case .disapproved(let member): "disapproved \(member.publicID)"
    case .released(let publicID): "released \(publicID)"
    }
  }
}
