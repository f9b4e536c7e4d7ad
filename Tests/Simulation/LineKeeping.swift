import Core
import Protocol

/// What a node does about lines: where it says that it listens, and whom it looks for.
extension World {
  /// Lets a node's keeper of lines take one event, then does all that follows, in order.
  func withLines(_ node: Node, _ body: (inout LineKeeper, inout [LineKeeper.Action]) -> Void) {
    withNode(node) { node, actions in
      var own: [LineKeeper.Action] = []
      body(&node.lines.keeper, &own)
      actions += own.map { .line($0) }
    }
  }

  func perform(_ action: LineKeeper.Action, _ node: Node) {
    switch action {
    case .ask(let owner): up(.askAddresses(owner), from: node)
    case .dial(let owner, let targets): dial(owner, targets, node)
    }
  }

  /// The bulk streams are open: this member is in.
  func turnLinesOn(_ node: Node) {
    guard node.usesLines, node.lines.hubPasses else { return }
    withLines(node) { keeper, _ in keeper.turn(on: true) }
    node.lines.told = nil
    tellAddresses(node)
  }

  /// The hub is gone, or this member is out: nobody says any more who is in.
  func turnLinesOff(_ node: Node) {
    guard node.usesLines else { return }
    withLines(node) { keeper, _ in keeper.turn(on: false) }
    endDials(of: node)
    for (line, side) in lines(of: .node(node.index)) { end(line, side, "its member is out") }
  }

  /// Whoever is not in any more has no line.
  func checkMembers(_ node: Node) {
    if options.sabotage == .serveOutsiders { return }
    for (line, side) in lines(of: .node(node.index))
    where approvedKey(line[side].other, node) != line[side].key {
      end(line, side, "the other end is out")
    }
  }

  /// Tells the group where this member listens, where that is news.
  func tellAddresses(_ node: Node) {
    guard node.isRunning, node.listens, node.lines.keeper.isOn, let me = node.member.publicID
    else { return }
    let addresses = MemberAddresses(
      port: DirectNetwork.port, hosts: direct.hosts(of: .node(node.index)))
    let isOther = node.lines.told != nil && node.lines.told != addresses
    let isNews = node.lines.told != addresses || node.lines.toldUnder != node.generation
    (node.lines.told, node.lines.toldUnder) = (addresses, node.generation)
    guard isNews else { return }
    up(.tellAddresses(SimulatedSeal.sealed(addresses, of: me, node.generation)), from: node)
    if isOther { withLines(node) { $0.networkChanged(now: now, into: &$1) } }
  }

  /// ADDRESSES.
  func told(_ told: ToldAddresses, _ node: Node) {
    guard node.usesLines, told.publicID != node.member.publicID else { return }
    var targets: [LineTarget] = []
    if let own = SimulatedSeal.opened(told.sealed, of: told.publicID, node.generation) {
      let hosts = own.hosts + (told.seen.isEmpty ? [] : [told.seen])
      for host in hosts {
        let target = LineTarget(host: host, port: own.port)
        if !targets.contains(target) { targets.append(target) }
      }
    }
    withLines(node) { $0.told(told.publicID, targets, now: now, into: &$1) }
  }

  /// The key of a member that is in now, by a node's list.
  func approvedKey(_ publicID: PublicID, _ node: Node) -> DeviceKey? {
    if publicID == .master { return nodes[0].key }
    guard let member = node.member.replica.members[publicID], member.admission == .approved
    else { return nil }
    return member.key
  }

  /// Who has a key, if he is in now, by a node's list.
  func approvedMember(_ key: DeviceKey, _ node: Node) -> PublicID? {
    if !node.isMaster, key == nodes[0].key { return .master }
    return node.member.replica.members.values
      .filter { $0.admission == .approved && $0.key == key }.map(\.publicID).min()
  }

  func key(of peer: Peer) -> DeviceKey {
    switch peer {
    case .node(let index): nodes[index].key
    case .liar(let index): liars[index].key
    }
  }

  /// The lines that somebody has not done with, and which ends of them are his.
  func lines(of peer: Peer) -> [(line: Line, side: LineSide)] {
    lines.values.sorted { $0.id < $1.id }.compactMap { line in
      guard let side = line.side(of: peer), !line[side].isGone else { return nil }
      return (line, side)
    }
  }
}
