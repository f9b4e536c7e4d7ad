import Core
import Protocol

/// The network over which members dial each other: another one than that to the hub, with
/// addresses, firewalls and faults of its own.
struct DirectNetwork {
  /// What becomes of a connection that somebody begins.
  enum Reach {
    case open
    /// A firewall drops it: no answer comes.
    case drop
    case refuse
  }

  private struct Way: Hashable {
    let from: Peer
    let to: Peer
  }

  static let port: UInt16 = 7

  /// Whether the hub passes addresses on: an older one does not.
  private(set) var isThere = false
  /// Whether lines are well once all other faults are over.
  private(set) var isCalm = true
  /// Who listens where.
  private var listeners: [String: Peer] = [:]
  private var hosts: [Peer: [String]] = [:]
  private var walls: [Way: Reach] = [:]
  private var lastNet = 0

  init() {}

  init(_ peers: [Peer], _ random: inout SeededGenerator) {
    isThere = !random.chance(80)
    isCalm = random.chance(300)
    for peer in peers { move(peer, &random) }
    if random.chance(300) { return }
    for from in peers {
      for to in peers where from != to && random.chance(250) { rewall(from, to, &random) }
    }
  }

  func hosts(of peer: Peer) -> [String] { hosts[peer] ?? [] }

  /// The address that the hub sees a peer come from.
  func seen(_ peer: Peer) -> String { hosts(of: peer).last ?? "" }

  func listener(at target: LineTarget) -> Peer? {
    target.port == Self.port ? listeners[target.host] : nil
  }

  func reach(from: Peer, to: Peer) -> Reach { walls[Way(from: from, to: to)] ?? .open }

  /// What one of two does not let through the other still may: so it is behind NAT.
  mutating func rewall(_ from: Peer, _ to: Peer, _ random: inout SeededGenerator) {
    let reaches: [Reach] = [.drop, .drop, .refuse, .open]
    walls[Way(from: from, to: to)] = reaches[random.below(reaches.count)]
  }

  /// A machine gets other addresses; at those that it had nobody answers any more, or somebody else.
  mutating func move(_ peer: Peer, _ random: inout SeededGenerator) {
    for host in hosts(of: peer) where listeners[host] == peer {
      let others = hosts.keys.filter { $0 != peer }.sorted { "\($0)" < "\($1)" }
      listeners[host] = random.chance(400) ? random.pick(others) : nil
    }
    lastNet += 1
    var named = ["10.0.\(lastNet).1"]
    // Such a one means another machine in every house.
    if random.chance(300) { named.insert("192.168.0.\(1 + random.below(3))", at: 0) }
    if random.chance(200) { named.insert("fd00::\(lastNet)", at: 0) }
    hosts[peer] = named
    for host in named { listeners[host] = peer }
  }
}
