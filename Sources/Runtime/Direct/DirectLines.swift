import Core
import Logging
import Mount
import Protocol
import Sealing
import System
import Transport

/// What the lines to other members need of the session that they are of. Any thread.
protocol DirectLinesHost: AnyObject, Sendable {
  /// Who has this Ed25519 key, if he is in now.
  func approvedMember(_ signingKey: [UInt8]) -> PublicID?
  /// The key of a member that is in now.
  func approvedKey(_ publicID: PublicID) -> [UInt8]?
  /// This member's own number.
  var ownID: PublicID? { get }
  /// The hub's address as this member reaches it, numeric.
  var hubRoute: String? { get }
  func send(_ message: Message)
}

/// The lines of one member to others: whom it dials, who is let in, what goes by them.
///
/// `LineKeeper` decides whom to dial; `DirectPlane` moves bytes; leaves are the business of reading
/// and serving, which know a line by its number. While the hub is away there are none: only the hub
/// says who is in *now*.
// SAFETY: `plane` is set once, in `start`; the rest is under `state`.
final class DirectLines: @unchecked Sendable {
  struct Line: Sendable {
    let peer: PublicID
    let key: [UInt8]
    let seal: LineSeal
    let address: String
    /// Of the try that made it; nil: the other end dialled.
    let dial: UInt64?
    /// Whether the other end has said that it is ready: only then anything is believed of it.
    var isOpen = false
  }

  struct State: Sendable {
    var keeper = LineKeeper()
    var lines: [LineID: Line] = [:]
    var dials: [UInt64: PublicID] = [:]
    var lastDial: UInt64 = 0
    /// What was told last, and under which generation.
    var told: MemberAddresses?
    var toldUnder: UInt32 = 0
    var lookedAt: Instant?
    /// What was last said in the log of each member.
    var said: [PublicID: String] = [:]
  }

  static let lookEvery: Duration = .seconds(2)

  let settings: DirectSettings
  unowned let host: any DirectLinesHost
  let volume: Volume
  let sealer: Sealer
  let log: Logger
  let budget: LogBudget
  let state = Locked(State(), rank: .leaf)
  private(set) var plane: DirectPlane?
  /// Where it listens; nil: nowhere.
  private(set) var port: UInt16?

  init(
    _ settings: DirectSettings, _ host: any DirectLinesHost, _ volume: Volume, _ sealer: Sealer,
    _ log: Logger
  ) {
    self.settings = settings
    self.host = host
    self.volume = volume
    self.sealer = sealer
    self.log = log
    budget = LogBudget(log)
  }

  /// Listens, if that is wanted; where it cannot, others are still dialled. Once.
  func start(privateKey: [UInt8], rates: BulkRates) {
    guard settings.isOn else { return }
    let plane = DirectPlane(
      privateKey: privateKey, secret: (LineSeal.label, LineSeal.secretLength), rates: rates,
      handler: self, log: log
    ) { [weak self] key in self?.host.approvedMember(key) != nil }
    do throws(SystemError) { port = try plane.start(listen: settings.listen) } catch {
      log.warning("members cannot reach this one directly: \(error)")
      guard (try? plane.start(listen: nil)) != nil else { return }
    }
    self.plane = plane
  }

  func stop() { plane?.stop() }

  // MARK: What happens to the connection to the hub

  /// The hub is there, and passes addresses on.
  func turnOn() {
    guard let plane else { return }
    state.withLock { state in
      state.keeper.turn(on: true)
      state.told = nil
    }
    plane.open(true)
    tellAddresses()
  }

  /// It is gone, or this member is out.
  func turnOff(_ why: String) {
    guard let plane else { return }
    state.withLock { $0.keeper.turn(on: false) }
    plane.open(false, why: why)
  }

  /// Somebody is no longer in, or the list is another: who is not in it has no line.
  func checkMembers() {
    guard let plane else { return }
    for (id, line) in state.withLock({ $0.lines })
    where host.approvedKey(line.peer) != line.key {
      plane.close(id, why: "it is not in the group any more")
    }
  }

  /// The group has a new key: what was told is sealed under the old one.
  func rekeyed() { if plane != nil { tellAddresses() } }

  // MARK: Dialling

  /// Leaves of a member are asked for through the hub.
  func wanted(_ owner: PublicID) {
    if plane != nil { step { $0.keeper.wanted(owner, now: $1, into: &$2) } }
  }

  /// ADDRESSES.
  func told(_ told: ToldAddresses) {
    guard plane != nil, told.publicID != host.ownID else { return }
    let targets = targets(of: told)
    step { $0.keeper.told(told.publicID, targets, now: $1, into: &$2) }
  }

  func tick() {
    guard plane != nil else { return }
    let now = MonotonicClock.now
    budget.tick(now: now)
    let (isDue, looks) = state.withLock { state -> (Bool, Bool) in
      let looks = state.keeper.isOn && state.lookedAt.map { now - $0 >= Self.lookEvery } ?? true
      if looks { state.lookedAt = now }
      return (state.keeper.nextDeadline.map { now >= $0 } ?? false, looks)
    }
    if isDue { step { $0.keeper.tick(now: $1, into: &$2) } }
    if looks { tellAddresses() }
  }

  func step(_ body: (inout State, Instant, inout [LineKeeper.Action]) -> Void) {
    var actions: [LineKeeper.Action] = []
    state.withLock { body(&$0, MonotonicClock.now, &actions) }
    for action in actions {
      switch action {
      case .ask(let owner): host.send(.askAddresses(owner))
      case .dial(let owner, let targets): dial(owner, targets)
      }
    }
  }

  private func dial(_ owner: PublicID, _ targets: [LineTarget]) {
    guard let key = host.approvedKey(owner) else {
      return step { state, now, _ in
        state.keeper.dialFailed(owner, "its key is not known", now: now)
      }
    }
    let number = state.withLock { state in
      state.lastDial += 1
      state.dials[state.lastDial] = owner
      return state.lastDial
    }
    plane?.dial(number, key: key, targets: targets)
  }

  // MARK: Addresses

  /// Tells the group where this member listens, where that is news.
  private func tellAddresses() {
    guard let port, let me = host.ownID, state.withLock({ $0.keeper.isOn }) else { return }
    let hosts =
      settings.listen.host.isEmpty || ["::", "0.0.0.0"].contains(settings.listen.host)
      ? (try? InterfaceAddresses.reachable()) ?? [] : [settings.listen.host]
    let addresses = MemberAddresses(port: port, hosts: hosts)
    let generation = sealer.generation
    let (isNews, isOtherNetwork) = state.withLock { state -> (Bool, Bool) in
      let isOther = state.told != nil && state.told != addresses
      let isNews = state.told != addresses || state.toldUnder != generation
      (state.told, state.toldUnder) = (addresses, generation)
      return (isNews, isOther)
    }
    guard isNews, let sealed = try? sealer.seal(addresses, of: me) else { return }
    host.send(.tellAddresses(sealed))
    if isOtherNetwork {
      budget.log(.info, "networks", "this machine has other addresses: members are told")
      step { $0.keeper.networkChanged(now: $1, into: &$2) }
    }
  }

  /// Where a member may be dialled: at what it says itself, and at what the hub sees it come from.
  private func targets(of told: ToldAddresses) -> [LineTarget] {
    guard !told.sealed.isEmpty, let own = sealer.openAddresses(told.sealed, of: told.publicID)
    else { return [] }
    // Loopback means this machine here, and another one there.
    var hosts = own.hosts.filter { !Loopback.contains($0) }
    if Loopback.contains(told.seen) {
      // It is on the hub's machine.
      if let route = host.hubRoute { hosts.insert(route, at: 0) }
    } else if !told.seen.isEmpty {
      hosts.append(told.seen)
    }
    var seen: Set<String> = []
    return hosts.filter { seen.insert($0).inserted }.map { LineTarget(host: $0, port: own.port) }
  }
}
