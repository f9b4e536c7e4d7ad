import Core
import Protocol

/// What goes by lines, and how they end.
extension World {
  /// How often an end of a slow line gets some bytes of what is on its way.
  private static let slowBytes: Duration = .milliseconds(400)

  /// How long something is on its way: mostly shorter than by the hub.
  func directDelay() -> Duration {
    random.chance(970) ? random.span(1...15) : random.span(15...600)
  }

  func send(_ word: LineWord, on line: Line, from side: LineSide) {
    let to = side.other
    guard !line.isCut, !line[side].isGone, !line[side].isEnding else { return }
    strike(line)
    if line.isCut { return }
    let begins = max(line[to].lastArrival, now + directDelay())
    var arrives = begins
    if let speed = line.bytesPerSecond {
      arrives += .milliseconds(word.count * 1_000 / speed)
      var at = begins + Self.slowBytes
      while at < arrives {
        events.put(.lineBytes(line.id, to), at: at)
        at += Self.slowBytes
      }
    }
    line[to].lastArrival = arrives
    events.put(.lineWord(line.id, to, word), at: arrives)
  }

  func send(_ message: Message, by id: LineID, from node: Node) {
    guard let line = lines[id], let side = line.side(of: .node(node.index)),
      let bytes = encoded(message)
    else { return }
    if bytes.count > DirectFrame.messageLimit { fail("\(message.opcode) is too long for a line") }
    note("node \(node.index) sends \(brief(message)) by line \(id)")
    send(.message(bytes), on: line, from: side)
  }

  /// Some of what is on its way on a slow line.
  func arrivedByLine(bytesOn id: LineID, at side: LineSide) {
    guard let line = lines[id], !line.isCut, !line[side].isStalled else { return }
    hear(line, side)
  }

  func arrivedByLine(_ word: LineWord, on id: LineID, at side: LineSide) {
    guard let line = lines[id], !line.isCut, !line[side].isGone, !line[side].isEnding else {
      return
    }
    if line[side].isStalled { return line[side].held.append(word) }
    if case .end = word { return sawEnd(of: id, at: side) }
    switch line[side].peer {
    case .liar(let index): liarTakes(word, liars[index], line, side)
    case .node(let index):
      let node = nodes[index]
      guard node.isRunning, node.incarnation == line[side].run else { return }
      hear(line, side)
      if take(word, line, side, node) { return }
      note("\(line[side.other].peer) breaks the protocol on line \(id)")
      if isLiar(line[side.other].peer) {
        statistics.lines.liarsEnded += 1
      } else {
        fail("\(line[side.other].peer) breaks the protocol on line \(id)")
      }
      end(line, side, "the other end breaks the protocol")
    }
  }

  /// Bytes came by a line.
  private func hear(_ line: Line, _ side: LineSide) {
    guard case .node(let index) = line[side].peer, line[side].isOpen, !line[side].isGone else {
      return
    }
    nodes[index].lines.heard[line.id] = now
    nodes[index].fetcher.lineHeard(line.id, of: line[side].other, now: now)
  }

  /// What a node makes of a word. Returns: false where its sender may not say it.
  private func take(_ word: LineWord, _ line: Line, _ side: LineSide, _ node: Node) -> Bool {
    let other = line[side].other
    switch word {
    case .garbage, .end: return false
    case .ready:
      opened(line, side, node)
      return true
    case .message(let bytes):
      opened(line, side, node)
      guard let message = try? Message(decoding: bytes) else { return false }
      note("node \(node.index) hears \(brief(message)) by line \(line.id)")
      switch message {
      case .requestChunk(let request) where request.owner == node.member.publicID:
        requested(request, by: line.id, node)
      case .chunkFailed(let failure) where failure.owner == other:
        node.lines.noteAnswered(failure)
        withFetcher(node) { $0.failed(failure, by: .line(line.id), now: now, into: &$1) }
      default: return false
      }
      return true
    case .leaf(let frame):
      guard line[side].isOpen, let key = try? BulkFrame.key(of: frame),
        key.owner == other || options.sabotage == .takeForgedLine
      else { return false }
      guard node.fetcher.wants(key) else { return true }
      statistics.lines.leaves += 1
      let leaf = Leaf(frame.dropFirst(BulkFrame.payloadOffset))
      withFetcher(node) { $0.arrived(key, leaf, by: .line(line.id), now: now, into: &$1) }
      return true
    }
  }

  /// The other end is ready.
  private func opened(_ line: Line, _ side: LineSide, _ node: Node) {
    if line[side].isOpen { return }
    line[side].isOpen = true
    statistics.lines.opened += 1
    let other = line[side].other
    note("node \(node.index) has line \(line.id) to \(other)")
    withLines(node) { keeper, _ in keeper.opened(line.id, to: other) }
    node.lines.open[line.id] = other
    withFetcher(node) { fetcher, _ in fetcher.lineOpened(line.id, to: other, now: now) }
  }

  /// One end closes a line; what still arrives there is not looked at.
  func end(_ line: Line, _ side: LineSide, _ why: String) {
    guard !line[side].isEnding, !line[side].isGone else { return }
    note("\(line[side].peer) ends line \(line.id): \(why)")
    if !line.isCut {
      let to = side.other
      line[to].lastArrival = max(line[to].lastArrival, now + directDelay())
      events.put(.lineWord(line.id, to, .end), at: line[to].lastArrival)
    }
    line[side].isEnding = true
    events.put(.lineGone(line.id, side), at: now + random.span(0...3))
  }

  /// The connection is lost with all that is in flight; each end notices in its own time.
  func cut(_ line: Line) {
    guard !line.isCut else { return }
    note("line \(line.id) is cut")
    statistics.lines.cut += 1
    line.isCut = true
    for side in LineSide.allCases where !line[side].isGone {
      events.put(
        .lineGone(line.id, side),
        at: now + random.span(random.chance(300) ? 5_000...15_000 : 0...300))
    }
  }

  /// An end is done with a line.
  func sawEnd(of id: LineID, at side: LineSide) {
    guard let line = lines[id], !line[side].isGone else { return }
    line[side].isGone = true
    line[side].held = []
    if line[side.other].isGone { lines[id] = nil }
    guard case .node(let index) = line[side].peer, nodes[index].isRunning,
      nodes[index].incarnation == line[side].run
    else { return }
    let node = nodes[index]
    let other = line[side].other
    note("node \(index) has no line \(id) to \(other) any more")
    guard line[side].isOpen else {
      if side == .dialled {
        withLines(node) { keeper, _ in keeper.dialFailed(other, "it ended", now: now) }
      }
      return
    }
    var remaining: LineID?
    withLines(node) { keeper, _ in
      if keeper.closed(id, to: other) { remaining = keeper.line(to: other) }
    }
    node.lines.open[id] = nil
    node.lines.heard[id] = nil
    withFetcher(node) { $0.lineClosed(id, to: other, now: now, into: &$1) }
    if let remaining {
      // As a new one would be: it is given its second.
      node.lines.heard[remaining] = now
      withFetcher(node) { fetcher, _ in fetcher.lineOpened(remaining, to: other, now: now) }
    }
  }

  /// The process of a node is gone, and its ends with it.
  func endLines(ofDead node: Node) {
    endDials(of: node)
    for (line, side) in lines(of: .node(node.index)) {
      line[side].isGone = true
      let to = side.other
      if line[to].isGone {
        lines[line.id] = nil
      } else if random.chance(200) {
        // Its machine is gone as well: nobody says so.
        cut(line)
      } else if !line.isCut {
        line[to].lastArrival = max(line[to].lastArrival, now + directDelay())
        events.put(.lineWord(line.id, to, .end), at: line[to].lastArrival)
      }
    }
  }
}
