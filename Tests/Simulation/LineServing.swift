import Core
import Protocol

/// How an owner serves by lines: direct for one, hub for many.
extension World {
  /// REQUEST_CHUNK by a line.
  func requested(_ request: ChunkRequest, by id: LineID, _ node: Node) {
    guard let reader = node.lines.open[id] else { return }
    checkReader(reader, by: id, node)
    switch node.lines.served.wanted(request, by: .member(reader), now: now) {
    case .go:
      if !node.lines.note(request, for: reader, now: now) {
        fail("node \(node.index) gives by lines to \(reader) what it gave to another")
      }
      serve(request, node, by: .line(id))
    case .hub(let time):
      statistics.lines.shared += 1
      let failure = ChunkFailure(
        request, reason: .shared, retryAfter: UInt32(clamping: Int64(time / .milliseconds(1))))
      send(.chunkFailed(failure), by: id, from: node)
    }
  }

  /// What is given by a line, or said of it.
  func give(_ frame: [UInt8], by way: ChunkWay, from node: Node) {
    switch way {
    case .hub: upFrame(frame, from: node)
    case .line(let id):
      guard let line = lines[id], let side = line.side(of: .node(node.index)) else { return }
      send(.leaf(frame), on: line, from: side)
    }
  }

  func giveFailure(_ failure: ChunkFailure, by way: ChunkWay, from node: Node) {
    switch way {
    case .hub: up(.chunkFailed(failure), from: node)
    case .line(let id): send(.chunkFailed(failure), by: id, from: node)
    }
  }
}
