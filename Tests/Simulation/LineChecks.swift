import Core
import Protocol

/// What must hold of lines at every moment.
extension World {
  /// Somewhat longer than a line may be silent while leaves are due, and until that is looked for.
  private static let silence = ChunkFetcher.stallsAfter + .milliseconds(800)

  /// What is outstanding on a line by which nothing comes is asked of the hub.
  func checkSilentLines(_ node: Node) {
    if node.lines.asked.isEmpty { return }
    for (key, (line, at)) in node.lines.asked {
      guard node.fetcher.wants(key) else {
        node.lines.asked[key] = nil
        continue
      }
      if now > max(at, node.lines.heard[line] ?? .zero) + Self.silence {
        fail(
          "node \(node.index) waits for leaf \(key.index) of \(key.owner) on silent line \(line)")
      }
    }
  }

  /// Who is not in any more, by a node's list, has no line to it.
  func checkLines(_ node: Node) {
    for (line, side) in lines(of: .node(node.index))
    where !line[side].isEnding && approvedKey(line[side].other, node) != line[side].key {
      fail("node \(node.index) keeps line \(line.id) to \(line[side].other), who is not in")
    }
  }

  /// Nobody is served who is not in at that moment, by the owner's list; and by the hub's word, as
  /// soon as that has come through.
  func checkReader(_ reader: PublicID, by id: LineID, _ node: Node) {
    guard let line = lines[id], let side = line.side(of: .node(node.index)) else { return }
    if approvedKey(reader, node) != line[side].key {
      fail("node \(node.index) serves \(reader) by line \(id), who is not in")
    }
    if options.liars != .hub, now > lastFault + .seconds(10), !masterWasSetBack, !hubForgot,
      reader != .master, hub.admissions[reader] != .approved
    {
      fail("node \(node.index) serves \(reader) by line \(id), whom the master has put out")
    }
  }
}
