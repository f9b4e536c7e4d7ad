import Core
import Protocol

/// What the master app's node does: journal first, then tell; and how it begins again.
extension World {
  func perform(_ action: MasterAction, _ node: Node) {
    guard let host = node.master else { return }
    switch action {
    case .keep(let decision, let generation): host.keep(decision, generation: generation)
    case .useKey(let generation):
      // It is made, and kept, before it is used.
      host.vault.generation = max(host.vault.generation, generation)
      use(generation, node)
    case .giveKey(let publicID, _):
      guard host.hubIsReady else { return }
      let key = GroupKeyMessage(publicID: publicID, generation: node.generation, wrapped: [])
      up(.groupKey(key), from: node)
    case .journal(let ordered): journal(ordered, node, host)
    case .beginEpoch(let order):
      compact(host)
      oracle.beginEpoch(order)
      withMember(node) { member, _ in member.epochBegan(order) }
      if let session = node.session, let connection = connections[session] { cut(connection) }
    case .notice(let evidence):
      statistics.noticed += 1
      note("the master was set back: \(evidence)")
    case .keepRestoration(let restoration): host.restoration = restoration
    case .tell(let table):
      if host.hubIsReady { up(.clientTable(table), from: node) }
    case .publish(let ordered):
      note("master publishes \(ordered.order.seq) from \(ordered.sender): \(brief(ordered.change))")
      withMember(node) { $0.received(ordered, now: now, into: &$1) }
      if host.hubIsReady { up(ordered.message(toHub: true), from: node) }
    case .sign(let order, let history, let version):
      guard host.hubIsReady else { return }
      host.beats += 1
      let head = HeadProof(
        order: order, history: history,
        beat: TransferID(incarnation: node.incarnation, counter: host.beats), version: version,
        signedBy: SimulatedSignature.sign)
      up(head.message, from: node)
    case .answer(let to, let message):
      if options.sabotage == .swallowAnswers, now > .seconds(10), case .filesAdded = message {
        return
      }
      checkAnswer(message, to: to)
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
    checkWord(ordered, host.master)
    let before = oracle.entries
    if let wrong = oracle.take(ordered) { return fail(wrong) }
    checkUnharmed(before, ordered, host.master)
    if ordered.transfer.counter > 0, sabotages(.repeatEffect) {
      let again = OrderedChange(
        order: ListOrder(epoch: ordered.order.epoch, seq: ordered.order.seq + 1),
        sender: ordered.sender, transfer: ordered.transfer, change: ordered.change,
        history: ordered.history)
      if let wrong = oracle.take(again) { return fail(wrong) }
    }
    checkShares(host.master)
    if oracle.order == host.master.replica.order {
      let replica = host.master.replica
      let digest = Oracle.digest(of: replica.list.unordered, replica.members.values)
      if digest != oracle.digest(at: oracle.order, replica.history) {
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
