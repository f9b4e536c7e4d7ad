import Core
import Protocol

/// One try to reach a member at any of its addresses, each a little after the one before.
final class Dial {
  let node: Int
  let owner: PublicID
  let key: DeviceKey
  var rest: ArraySlice<LineTarget>
  /// Addresses that may still answer.
  var waiting = 0

  init(node: Int, owner: PublicID, key: DeviceKey, targets: [LineTarget]) {
    self.node = node
    self.owner = owner
    self.key = key
    rest = targets[...]
  }
}

/// How a line begins.
extension World {
  /// As in the product.
  private static let stagger: Duration = .milliseconds(250)
  private static let dialTime: Duration = .seconds(10)

  func dial(_ owner: PublicID, _ targets: [LineTarget], _ node: Node) {
    guard let key = approvedKey(owner, node) else { return dialFailed(owner, node) }
    note("node \(node.index) dials \(owner) at \(targets)")
    statistics.lines.dials += 1
    nextDial += 1
    dials[nextDial] = Dial(node: node.index, owner: owner, key: key, targets: targets)
    events.put(.dialEnds(nextDial), at: now + Self.dialTime)
    tryNext(nextDial)
  }

  /// Tries the next address; gives up where there is none and none may answer any more.
  func tryNext(_ number: UInt64) {
    guard let dial = dials[number] else { return }
    guard let target = dial.rest.popFirst() else {
      return dial.waiting == 0 ? dialEnds(number) : ()
    }
    dial.waiting += 1
    let peer = direct.listener(at: target)
    switch peer.map({ direct.reach(from: .node(dial.node), to: $0) }) ?? .refuse {
    case .open, .refuse:
      events.put(.dialAnswered(number, target), at: now + directDelay() + directDelay())
    // No answer.
    case .drop: break
    }
    if !dial.rest.isEmpty { events.put(.dialGoesOn(number), at: now + Self.stagger) }
  }

  /// Somebody, or nobody, answers at an address.
  func dialAnswered(_ number: UInt64, _ target: LineTarget) {
    guard let dial = dials[number] else { return }
    if let peer = direct.listener(at: target),
      direct.reach(from: .node(dial.node), to: peer) == .open
    {
      if key(of: peer) == dial.key || sabotages(.believeAnswerer, where: !isLiar(peer)) {
        if shake(hands: nodes[dial.node], peer, dial) {
          dials[number] = nil
          return
        }
      } else {
        statistics.lines.strangers += 1
        note("\(peer) answers node \(dial.node) at \(target), who is not \(dial.owner)")
      }
    }
    dial.waiting -= 1
    tryNext(number)
  }

  /// Nothing comes of a dial, or has come in time.
  func dialEnds(_ number: UInt64) {
    guard let dial = dials.removeValue(forKey: number) else { return }
    dialFailed(dial.owner, nodes[dial.node])
  }

  private func dialFailed(_ owner: PublicID, _ node: Node) {
    note("node \(node.index) cannot reach \(owner)")
    statistics.lines.failedDials += 1
    withLines(node) { keeper, _ in keeper.dialFailed(owner, "no answer", now: now) }
  }

  func endDials(of node: Node) {
    for (number, dial) in dials where dial.node == node.index { dials[number] = nil }
  }

  /// Both ends have shown their keys. Returns: whether both go on.
  private func shake(hands node: Node, _ peer: Peer, _ dial: Dial) -> Bool {
    guard node.isRunning, let other = approvedMember(dial.key, node) else { return false }
    let dialled = LineEnd(
      .node(node.index), run: node.incarnation, other: other, key: dial.key)
    switch peer {
    case .node(let index):
      let listener = nodes[index]
      guard let end = acceptedEnd(from: .node(node.index), listener) else { return false }
      begin(dialled, end)
    case .liar(let index):
      let liar = liars[index]
      guard connection(of: liar) != nil else { return false }
      begin(
        dialled, LineEnd(peer, run: liar.incarnation, other: .master, key: node.key))
    }
    return true
  }

  /// The end of a node that was dialled; nil where it does not go on with who dialled.
  func acceptedEnd(from peer: Peer, _ node: Node) -> LineEnd? {
    guard node.isRunning, node.listens, node.lines.keeper.isOn,
      let other = approvedMember(key(of: peer), node), other != node.member.publicID
    else { return nil }
    return LineEnd(.node(node.index), run: node.incarnation, other: other, key: key(of: peer))
  }

  func begin(_ dialled: LineEnd, _ accepted: LineEnd) {
    nextLine += 1
    let line = Line(id: nextLine, dialled: dialled, accepted: accepted)
    lines[line.id] = line
    note("line \(line.id) from \(dialled.peer) to \(accepted.peer)")
    for side in LineSide.allCases {
      if case .liar(let index) = line[side].peer {
        greet(liars[index], line, side)
      } else {
        send(.ready, on: line, from: side)
      }
    }
  }
}
