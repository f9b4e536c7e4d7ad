/// The connections that nobody has vouched for yet. Whoever has most of them loses one when there
/// are too many, so that a flood from one place displaces itself and nobody else.
package struct UnauthenticatedConnections {
  private var all: [(id: ConnectionID, origin: PeerOrigin)] = []

  package init() {}

  /// How many there are.
  package var count: Int { all.count }

  /// One more, the latest.
  package mutating func add(_ id: ConnectionID, from origin: PeerOrigin) {
    all.append((id, origin))
  }

  /// It is a stranger no more, or gone. Complexity: O(n).
  package mutating func remove(_ id: ConnectionID) { all.removeAll { $0.id == id } }

  /// Takes out whoever gives way to somebody from `origin`, who counts already: the oldest of the
  /// origin that has most; of several such origins, the oldest of all. nil where there is nobody.
  /// Complexity: O(n).
  package mutating func giveWay(to origin: PeerOrigin) -> ConnectionID? {
    var counts = [origin: 1]
    for stranger in all { counts[stranger.origin, default: 0] += 1 }
    let most = all.reduce(0) { max($0, counts[$1.origin]!) }
    guard let index = all.firstIndex(where: { counts[$0.origin] == most }) else { return nil }
    return all.remove(at: index).id
  }
}
