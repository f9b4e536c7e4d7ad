import Core
import Mount
import Protocol
import System

/// What people are told of the lines. Any thread.
extension DirectLines {
  /// The addresses at the other ends, by member.
  var addresses: [PublicID: String] {
    state.withLock { state in
      var found: [PublicID: String] = [:]
      for publicID in state.keeper.connected {
        found[publicID] = state.keeper.line(to: publicID).flatMap { state.lines[$0]?.address }
      }
      return found
    }
  }

  /// The address at the other end of one line.
  func address(of id: LineID) -> String? { state.withLock { $0.lines[id]?.address } }

  /// The way that leaves of a version take, in words.
  func route(of version: VersionKey) -> String {
    guard plane != nil else { return "through the hub (--direct off)" }
    switch volume.reading.directState(of: version) {
    case .direct(let id): return "direct, \(address(of: id) ?? "")"
    case .stalled: return "through the hub (its line gives nothing)"
    case .shared: return "through the hub (others read it, too)"
    case .noLine: break
    }
    let why =
      switch state.withLock({ $0.keeper.isOn ? $0.keeper.obstacle(to: version.file.owner) : nil }) {
      case .notListening: "its owner takes no lines"
      case .failed(let why): "no line: \(why)"
      case .underWay: "a line is being tried"
      case .some(.none): "no line yet"
      case nil: "the hub passes no addresses on"
      }
    return "through the hub (\(why))"
  }
}
