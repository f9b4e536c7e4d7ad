import Core
import Protocol

/// What goes wrong: connections, processes, machines.
extension World {
  func faultStep() {
    guard random.chance(faultiness) else { return }
    if random.chance(30), nodes[0].isRunning, let host = nodes[0].master { backUp(host) }
    switch random.below(1_000) {
    case 0..<50:
      let open = connections.values.filter { !$0.isCut && $0.nodeIsOpen }.sorted { $0.id < $1.id }
      if let connection = random.pick(open) { cut(connection) }
    case 50..<58:
      guard hub.hub != nil else { return }
      stopHub()
      events.put(.hubStarts, at: now + random.span(100...9_000))
    case 58..<78: restart(cleanly: random.chance(400))
    case 78..<88:
      let node = nodes[0]
      guard node.isRunning, let host = node.master else { return }
      switch random.below(3) {
      case 0: host.crashNext = .tornRecord
      case 1: host.crashNext = .untold
      default:
        stop(node, cleanly: random.chance(300))
        events.put(.nodeStarts(0), at: now + random.span(100...12_000))
      }
    case 88..<91:
      guard let node = random.pick(nodes.filter { $0.isRunning && !$0.isMaster }),
        nodes.count(where: \.isDeparted) < 2
      else { return }
      stop(node, cleanly: random.chance(500))
      node.isDeparted = true
    default: break
    }
  }

  private func restart(cleanly: Bool) {
    guard let node = random.pick(nodes.filter { $0.isRunning && !$0.isMaster }) else { return }
    stop(node, cleanly: cleanly)
    // Longer than the grace at times, so that what it shared is released.
    let away = random.chance(300) ? random.span(15_000...40_000) : random.span(50...5_000)
    events.put(.nodeStarts(node.index), at: now + away)
  }

  /// What happens in a folder while nobody watches it.
  func changeWhileAway(_ node: Node) {
    for entry in node.folder.sorted where entry.kind == .file && random.chance(100) {
      if random.chance(300) {
        node.folder.remove(entry.id)
      } else {
        var changed = entry
        changed.version = newID()
        changed.size = UInt64(random.below(2_000))
        share(changed, node)
      }
    }
  }

  /// Faults are over: everything that is not gone for good comes back.
  func settle() {
    note("the faults are over")
    isSettling = true
    startHub()
    events.put(.readSome, at: now + .seconds(96))
    events.put(.readEverything, at: now + .seconds(100))
    if !liars.isEmpty {
      // Nobody is to hear any more that the master was set back.
      for liar in liars { liar.said.removeAll { $0.message.proposal == nil } }
      events.put(.probe, at: now + .seconds(45))
      // Behind the last moment at which what is asked for then may be answered.
      events.put(.liarsFallSilent, at: now + .seconds(70))
    }
    nodes[0].master?.crashNext = nil
    for node in nodes where !node.isDeparted && !node.isRunning {
      events.put(.nodeStarts(node.index), at: now + random.span(1...500))
    }
  }
}
