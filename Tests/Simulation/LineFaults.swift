import Core
import Protocol

/// What goes wrong between members. None of it excuses anything: the hub is there.
extension World {
  /// Whether lines may still fail.
  private var linesFail: Bool {
    guard direct.isThere else { return false }
    if isSettling, direct.isCalm { return false }
    return linesAreWellFrom.map { now < $0 } ?? true
  }

  func lineFault() {
    guard linesFail else { return }
    events.put(.lineFault, at: now + random.span(200...3_000))
    let standing = lines.values.filter { !$0.isCut }.sorted { $0.id < $1.id }
    let busy = standing.filter { $0.isBusy(now) }
    let line = random.pick(random.chance(700) && !busy.isEmpty ? busy : standing)
    switch random.below(100) {
    case 0..<40: break
    case 40..<49: if let line { cut(line) }
    // It was not used for long, or somebody restarts something.
    case 49..<55:
      if let line { end(line, random.chance(500) ? .dialled : .accepted, "it was not used") }
    case 55..<75: if let line { stall(line) }
    case 75..<88:
      line?.bytesPerSecond = random.chance(700) ? (20 + random.below(300)) << 10 : nil
    case 88..<93: if let node = random.pick(nodes) { move(node) }
    default:
      guard let from = random.pick(peers), let to = random.pick(peers), from != to else { return }
      direct.rewall(from, to, &random)
    }
  }

  /// Something may go wrong just when something is under way.
  func strike(_ line: Line) {
    guard random.chance(12), linesFail else { return }
    if random.chance(500) { cut(line) } else { stall(line) }
  }

  var peers: [Peer] {
    nodes.map { .node($0.index) } + liars.map { .liar($0.index) }
  }

  /// Nothing arrives for a while, at one end or both; at times nothing ever again.
  private func stall(_ line: Line) {
    guard LineSide.allCases.allSatisfy({ !line[$0].isStalled }) else { return }
    statistics.lines.stalled += 1
    let sides = LineSide.allCases.filter { _ in random.chance(700) }
    note("line \(line.id) stalls")
    for side in sides { line[side].isStalled = true }
    if random.chance(150) {
      for side in LineSide.allCases { events.put(.lineGone(line.id, side), at: now + .seconds(15)) }
    } else {
      events.put(.lineGoesOn(line.id), at: now + random.span(300...9_000))
    }
  }

  /// What was held up arrives.
  func lineGoesOn(_ id: LineID) {
    guard let line = lines[id] else { return }
    note("line \(id) goes on")
    for side in LineSide.allCases where line[side].isStalled {
      line[side].isStalled = false
      let held = line[side].held
      line[side].held = []
      for word in held { arrivedByLine(word, on: id, at: side) }
    }
  }

  /// A machine is somewhere else: its lines hang, or break.
  private func move(_ node: Node) {
    note("node \(node.index) has other addresses")
    direct.move(.node(node.index), &random)
    statistics.lines.moves += 1
    for (line, _) in lines(of: .node(node.index)) where random.chance(700) { cut(line) }
    events.put(.addressesLookedAt(node.index), at: now + random.span(0...2_000))
  }
}
