import Control
package import Core
import DequeModule
package import Logging
package import Mount
package import Protocol
package import Sealing
import State
import System
package import Transport

/// What the program wants to know about the group while it starts, and about its end.
package enum GroupEvent: Sendable {
  case phase(MemberPhase, PublicID?)
  /// The list is complete, or, for the master, the hub takes its word: the mount is worth having.
  case ready
  /// A try to reach the hub failed, or the connection was lost; it is tried again for ever.
  case linkFailed(LinkFailure)
  /// The hub's last word: connecting again is no use for some of its codes.
  case refused(Refused)
  /// What answered does not speak this protocol, or broke it.
  case protocolError(String)
  /// The hub ended another process that ran with this device's private id.
  case displacedAnother
  /// The hub and the master were met for the first time; their keys are remembered from now on.
  /// nil: not told.
  case firstContact(hub: Fingerprint?, master: Fingerprint?)
  /// Somebody is not who was remembered: the program ends.
  case untrusted(Ending)
}

/// What makes a member the master app: the state machine, and what it keeps.
package struct MasterParts: Sendable {
  package let master: Master
  package let journal: MasterJournal
  package let vault: KeyVault
  let journalPath: String
  let restorationFile: RestorationFile
  /// What a person is to hear of the journal; nil where all is well.
  let remark: String?

  /// Restores the master from `journal`, `vault` and `restored` in the folder `path`, or begins
  /// them.
  init(
    folder path: String, settings: Master.Settings, signer: MasterSigner
  ) throws(StateFault) {
    vault = try KeyVault(path: path + "/" + StateKind.vault.rawValue)
    restorationFile = RestorationFile(path: path + "/" + StateKind.restored.rawValue)
    journalPath = path + "/" + StateKind.journal.rawValue
    let opened = try MasterJournal.open(
      journalPath, vault: vault.summary,
      restoration: restorationFile.load(), settings: settings, signer: signer)
    (journal, master, remark) = (opened.journal, opened.master, opened.remark)
  }
}

/// Binds the member, and where this is the master app the master, to the link and the mount.
///
/// State machines step under one lock and say what they want done; that is queued in order, and
/// done by one thread at a time with no lock held: the order of what is sent is the order of the
/// steps.
// SAFETY: `volume`, `hubHost`, `keepsFile`, `direct` and `link` are set once, before anything is
// started; the rest is under `state`.
package final class GroupSession: @unchecked Sendable {
  enum Work: Sendable {
    case member(MemberAction)
    /// The list changed, nil: altogether; with what shows of it behind that.
    case list([ListDelta]?, ListView)
    case master(MasterAction)
    /// What the disk did not take, once more.
    case backlog
  }

  struct State {
    var member: Member
    var master: Master?
    var backlog = MasterBacklog()
    var deviceName: DeviceName
    var work: Deque<Work> = []
    var isDraining = false
    var waits: [WaitToken: @Sendable (ChangeOutcome) -> Void] = [:]
    var lastToken: WaitToken = 0
    /// Parts of MASTER_APP_REGISTER_ACK until the last has come.
    var clients: [ClientRecord]?
    var isConnected = false
    var presenceTimes = PresenceTimes()
    /// What a registration is bound to: the hub's TLS key, or nothing without TLS.
    var channel: [UInt8] = []
    /// What the hub can do beside what all can, and its address as it was reached.
    var hubFeatures: UInt64 = 0
    var hubRoute: String?
    /// The master's key, in the hub's word; believed only as far as `KeyWrapping` proves it.
    var masterKey: DeviceKey?
    /// Whether the hub takes our word as the master's.
    var isMasterRegistered = false
    /// Whether the hub gave a key that is older than one that this device had: the master will draw
    /// a later one.
    var awaitsKey = false
    /// When time was last looked at.
    var tickedAt: Instant?
    var memory = MemoryNotes()
    /// How far the list has come that everyone was told.
    var told: (order: ListOrder, history: History)?
    /// How often this run of the master has signed the list, how it did last, and when.
    var beats: UInt64 = 0
    var lastHead: HeadProof?
    var signedAt: Instant?
    /// Whether a timer runs for the next signature.
    var isHeadTimed = false
    /// What was last found out of a list that is not the master's; nil where all is well.
    var listFault: String?
    /// How long the machine was suspended when that was looked at last.
    var suspended: Duration = MonotonicClock.suspended
    var failures = 0
    var reconnectAt: Instant?
    var isLeaving = false
  }

  /// How often time is looked at; also the shortest back-off.
  static let tickEvery: Duration = .milliseconds(100)
  /// A suspension of the machine behind which the hub may have given this member up.
  static let suspensionAtLeast: Duration = .seconds(2)
  /// Time between two looks at it in which this process did not run.
  static let sleepAtLeast: Duration = .seconds(5)

  let identity: DeviceIdentity
  let incarnation: Incarnation
  let system: String
  let journal: MasterJournal?
  let journalPath: String?
  let vault: KeyVault?
  /// What keeps the list of a member that is not the master.
  let keeper: ListKeeper?
  let restorationFile: RestorationFile?
  let trust: GroupTrust
  let tlsBulk: Bool
  /// What a hub without a master is told.
  let claim: [UInt8]
  package let sealer = Sealer()
  let log: Logger
  let meters = MemberMeters()
  let masterMeters: MasterMeters?
  /// The log of what a hub brings about that is away, or worse.
  let budget: LogBudget
  let report: @Sendable (GroupEvent) -> Void
  let keepName: @Sendable (DeviceName) -> Void
  let state: Locked<State>
  /// Whether this member has left; held while it does.
  let departure = Locked(false)
  private(set) var volume: Volume!
  private(set) var link: HubLink!
  /// The lines to other members.
  private(set) var direct: DirectLines!
  private(set) var hubHost: String?
  private(set) var keepsFile = ""
  /// Held while what is kept changes.
  let keepsLock = Locked(())
  /// What happened in the group, for people.
  let events = Locked(GroupEvents())
  /// How fast the bulk streams may be.
  let rates = Locked(LimitsReport(up: nil, down: nil))
  let bulkRates = BulkRates()
  let directSettings: DirectSettings
  private(set) var hub = ""
  var isMaster: Bool { journal != nil }

  package init(
    identity: DeviceIdentity, incarnation: Incarnation, name: DeviceName, system: String,
    master: MasterParts?, keeper: ListKeeper?, trust: GroupTrust, tlsBulk: Bool,
    direct: DirectSettings = DirectSettings(), claim: [UInt8],
    log: Logger,
    keepName: @escaping @Sendable (DeviceName) -> Void,
    report: @escaping @Sendable (GroupEvent) -> Void
  ) {
    self.identity = identity
    self.incarnation = incarnation
    self.system = system
    journal = master?.journal
    journalPath = master?.journalPath
    masterMeters = master == nil ? nil : MasterMeters()
    vault = master?.vault
    self.keeper = keeper
    restorationFile = master?.restorationFile
    self.trust = trust
    self.tlsBulk = tlsBulk
    directSettings = direct
    self.claim = claim
    self.log = log
    budget = LogBudget(log)
    self.keepName = keepName
    self.report = report
    let member = Member(
      isMaster: master != nil, incarnation: incarnation, ownIsWhole: false,
      hash: ListHash.sha256)
    state = Locked(
      State(member: member, master: master?.master, deviceName: name), rank: .session)
  }

  /// Gives the session the mount that it serves: before the volume shares its own folder.
  /// `hubHost`: the host that the hub in this process listens on; nil: there is none. `keepsFile`:
  /// where it is said what of others' files is kept.
  package func bind(_ volume: Volume, hubHost: String?, keepsFile: String) {
    self.volume = volume
    self.hubHost = hubHost
    self.keepsFile = keepsFile
    direct = DirectLines(directSettings, self, volume, sealer, log)
  }

  /// Connects to the hub and stays connected. Call behind `Volume.shareOwnFolder`, which may go on
  /// with what takes long.
  package func start() throws {
    if isMaster {
      step { state, now in
        var actions: [MemberAction] = []
        let master = state.master!
        state.member.adopt(
          master.replica, isWhole: !master.isTakingBack, now: now, into: &actions)
        state.enqueue(actions)
      }
    }
    try restoreList()
    let hub = trust.group.address
    self.hub = "\(hub)"
    link = HubLink(
      address: hub, also: trust.group.also, lastRoute: trust.group.route, pin: trust.group.hub,
      tlsBulk: tlsBulk, rates: bulkRates, handler: self, log: log)
    let rates = limits
    bulkRates.limit(up: rates.up, down: rates.down)
    direct.start(privateKey: identity.signingSeed, rates: bulkRates)
    try link.start()
    link.perform { [self] in link.setTimer(after: Self.tickEvery) }
    link.connect()
  }

  /// Runs one step of the state machines and does what they want done.
  func step(_ body: (inout State, Instant) -> Void) {
    state.withLock { body(&$0, MonotonicClock.now) }
    drain()
  }

  /// One step of the member alone.
  func stepMember(_ body: (inout Member, Instant, inout [MemberAction]) -> Void) {
    step { state, now in
      var actions: [MemberAction] = []
      body(&state.member, now, &actions)
      state.enqueue(actions)
    }
  }

  /// One step of the master alone; nothing where this is not the master app.
  func stepMaster(_ body: (inout Master, Instant, inout [MasterAction]) -> Void) {
    step { state, now in state.stepMaster(now, body) }
  }

  /// Does what is queued; another thread that is doing so already takes it over.
  package func drain() {
    while true {
      let next = state.withLock { state -> Work? in
        if state.isDraining || state.work.isEmpty { return nil }
        state.isDraining = true
        return state.work.popFirst()
      }
      guard let next else { return }
      perform(next)
      state.withLock { $0.isDraining = false }
    }
  }
}

extension GroupSession.State {
  mutating func enqueue(_ actions: [MemberAction]) {
    // What shows behind all of them goes with what changed until then, or changes that the mount
    // has not heard of would be in what it takes for the state before.
    var change: GroupSession.Work?
    var deltas: [ListDelta] = []
    for action in actions {
      switch action {
      case .list(let some):
        deltas += some
        if case .list(nil, _)? = change { continue }
        change = .list(deltas, member.view)
      case .listed:
        change = .list(nil, member.view)
        memory.wasBusy = true
      case .standing:
        if let change { work.append(change) }
        (change, deltas) = (nil, [])
        work.append(.member(action))
      default: work.append(.member(action))
      }
    }
    if let change { work.append(change) }
  }

  mutating func enqueue(_ actions: [MasterAction]) {
    for action in actions { work.append(.master(action)) }
  }

  mutating func stepMaster(
    _ now: Instant, _ body: (inout Master, Instant, inout [MasterAction]) -> Void
  ) {
    guard master != nil else { return }
    var actions: [MasterAction] = []
    body(&master!, now, &actions)
    master!.tick(now: now, into: &actions)
    enqueue(actions)
  }
}
