package import Protocol

/// Whom a member dials, and when: whoever it reads from, beside the hub, which is asked at once in
/// any case. Where that fails it is tried seldom, and again when a network has changed.
package struct LineKeeper: Sendable {
  package enum Action: Equatable, Sendable {
    /// Ask the hub where this member listens.
    case ask(PublicID)
    case dial(PublicID, [LineTarget])
  }

  /// Why no line stands, for people.
  package enum Obstacle: Equatable, Sendable {
    /// It was not wanted yet, or is being made.
    case none
    case underWay
    /// It listens nowhere, or its program is an older one.
    case notListening
    case failed(String)
  }

  private enum State: Equatable {
    case idle
    case asked(since: Instant)
    case dialling
    case resting(until: Instant)
  }

  private struct Peer {
    var state = State.idle
    var lines: [LineID] = []
    var failures = 0
    var obstacle = Obstacle.none
    var wantedAt: Instant?
    var targets: [LineTarget] = []
    /// Whether those are others than are being dialled.
    var hasMoved = false
    /// It wants to reach this member, which dials if it does not manage to by then.
    var offerDue: Instant?

    /// Whether it may be dialled.
    func isFree(now: Instant) -> Bool {
      switch state {
      case .idle: true
      case .resting(let until): now >= until
      case .asked, .dialling: false
      }
    }
  }

  /// How long the hub may take to say where somebody listens.
  static let answerTime: Duration = .seconds(10)
  /// How long whoever wants a line has to dial before the other end does: behind NAT it cannot.
  static let offerTime: Duration = .seconds(2)
  /// Who was wanted not longer ago is dialled again when a network has changed.
  static let interest: Duration = .seconds(300)
  static let firstRest: Duration = .seconds(30)
  static let longestRest: Duration = .seconds(1_800)
  /// Members that are remembered: those without a line beyond that are forgotten.
  static let limit = 16_384

  private var peers: [PublicID: Peer] = [:]
  /// Whether the hub passes addresses on, and this member may use them.
  package private(set) var isOn = false

  package init() {}

  /// When `tick` is due.
  package var nextDeadline: Instant? {
    peers.values.compactMap { peer in
      let asked: Instant? =
        if case .asked(let since) = peer.state { since + Self.answerTime } else { nil }
      return [asked, peer.offerDue].compactMap { $0 }.min()
    }.min()
  }

  /// Members with which a line stands.
  package var connected: [PublicID] { peers.filter { !$0.value.lines.isEmpty }.keys.sorted() }

  package func line(to peer: PublicID) -> LineID? { peers[peer]?.lines.first }

  package func obstacle(to peer: PublicID) -> Obstacle { peers[peer]?.obstacle ?? .none }

  /// The hub is there and passes addresses on, or is not. Lines are closed by whoever has them.
  package mutating func turn(on isOn: Bool) {
    self.isOn = isOn
    for peer in peers.keys {
      peers[peer]!.offerDue = nil
      switch peers[peer]!.state {
      // What was asked over a connection that is gone is never answered; tries end with it.
      case .asked, .dialling: peers[peer]!.state = .idle
      case .idle, .resting: break
      }
    }
  }

  /// Leaves of a member are asked for through the hub. Complexity: O(1).
  package mutating func wanted(
    _ publicID: PublicID, now: Instant, into actions: inout [Action]
  ) {
    guard isOn else { return }
    if peers[publicID] == nil, peers.count >= Self.limit {
      peers = peers.filter { !$0.value.lines.isEmpty }
    }
    peers[publicID, default: Peer()].wantedAt = now
    guard peers[publicID]!.lines.isEmpty else { return }
    switch peers[publicID]!.state {
    case .asked, .dialling: return
    case .resting(let until) where now < until: return
    case .idle, .resting: ask(publicID, now: now, into: &actions)
    }
  }

  /// The hub says where a member listens: because that was asked, or because that member wants to
  /// reach this one, or has another address. Empty: nowhere.
  package mutating func told(
    _ publicID: PublicID, _ targets: [LineTarget], now: Instant, into actions: inout [Action]
  ) {
    guard isOn else { return }
    if peers[publicID] == nil, peers.count >= Self.limit { return }
    var peer = peers[publicID] ?? Peer()
    defer { peers[publicID] = peer }
    let isOther = peer.targets != targets
    peer.targets = targets
    guard peer.lines.isEmpty else { return }
    switch peer.state {
    case .asked:
      if targets.isEmpty {
        rest(&peer, .notListening, now: now)
      } else {
        dial(publicID, &peer, into: &actions)
      }
    case .dialling: peer.hasMoved = peer.hasMoved || isOther
    case .idle, .resting:
      if targets.isEmpty { return }
      let isWanted = peer.wantedAt.map { now - $0 < Self.interest } ?? false
      if isOther, isWanted {
        dial(publicID, &peer, into: &actions)
      } else {
        peer.offerDue = now + Self.offerTime
      }
    }
  }

  /// A line stands, whoever dialled.
  package mutating func opened(_ id: LineID, to publicID: PublicID) {
    var peer = peers[publicID] ?? Peer()
    peer.lines.append(id)
    peer.state = .idle
    peer.failures = 0
    peer.obstacle = .none
    peer.offerDue = nil
    peers[publicID] = peer
  }

  /// Returns: whether another line with that member stands still.
  @discardableResult
  package mutating func closed(_ id: LineID, to publicID: PublicID) -> Bool {
    peers[publicID]?.lines.removeAll { $0 == id }
    return peers[publicID]?.lines.isEmpty == false
  }

  /// None of a member's addresses answered as that member. `why`: for people.
  package mutating func dialFailed(_ publicID: PublicID, _ why: String, now: Instant) {
    guard var peer = peers[publicID], peer.lines.isEmpty else { return }
    rest(&peer, .failed(why), now: now)
    // What was dialled is where it listened before: whoever wants it may look for it anew at once.
    if peer.hasMoved { peer.state = .idle }
    peers[publicID] = peer
  }

  /// This machine has other addresses: whoever was wanted lately is tried again.
  package mutating func networkChanged(now: Instant, into actions: inout [Action]) {
    for publicID in peers.keys.sorted() {
      guard case .resting = peers[publicID]!.state else { continue }
      peers[publicID]!.state = .idle
      peers[publicID]!.failures = 0
      if let at = peers[publicID]!.wantedAt, now - at < Self.interest, isOn {
        ask(publicID, now: now, into: &actions)
      }
    }
  }

  package mutating func tick(now: Instant, into actions: inout [Action]) {
    for publicID in peers.keys.sorted() {
      var peer = peers[publicID]!
      if case .asked(let since) = peer.state, now - since >= Self.answerTime {
        rest(&peer, .failed("the hub does not say where it listens"), now: now)
      }
      if let due = peer.offerDue, now >= due {
        peer.offerDue = nil
        if peer.lines.isEmpty, peer.isFree(now: now) {
          dial(publicID, &peer, into: &actions)
        }
      }
      peers[publicID] = peer
    }
  }

  private mutating func ask(
    _ publicID: PublicID, now: Instant, into actions: inout [Action]
  ) {
    peers[publicID]!.state = .asked(since: now)
    if peers[publicID]!.obstacle == .none { peers[publicID]!.obstacle = .underWay }
    actions.append(.ask(publicID))
  }

  private func dial(_ publicID: PublicID, _ peer: inout Peer, into actions: inout [Action]) {
    peer.state = .dialling
    peer.hasMoved = false
    actions.append(.dial(publicID, peer.targets))
  }

  private func rest(_ peer: inout Peer, _ obstacle: Obstacle, now: Instant) {
    let span = Self.firstRest * (1 << min(peer.failures, 6))
    peer.failures += 1
    peer.obstacle = obstacle
    peer.state = .resting(until: now + min(span, Self.longestRest))
  }
}
