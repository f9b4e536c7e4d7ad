import Core
import Protocol

/// When time has to be told to a node.
extension World {
  /// Sees to it that the node ticks when something is due.
  func arm(_ node: Node) {
    guard node.isRunning, let due = nextDeadline(of: node) else { return }
    if let at = node.tickAt, at <= due { return }
    node.tickAt = max(due, now)
    events.put(.nodeTick(node.index), at: node.tickAt!)
  }

  private func nextDeadline(of node: Node) -> Instant? {
    [
      node.member.nextDeadline, node.fetcher.nextDeadline, node.lines.keeper.nextDeadline,
      node.master?.master.nextDeadline,
    ].compactMap { $0 }.min()
  }

  func tick(_ node: Node) {
    guard node.tickAt == now else { return }
    node.tickAt = nil
    // It ticks after whatever it does.
    withMaster(node) { _, _ in }
    withMember(node) { $0.tick(now: now, into: &$1) }
    withFetcher(node) { $0.tick(now: now, into: &$1) }
    withLines(node) { $0.tick(now: now, into: &$1) }
    if node.isRunning, let due = nextDeadline(of: node), due <= now {
      fail("the tick of node \(node.index) left work undone")
    }
  }
}
