import Core
import Protocol

/// What a history is made from.
package struct Options: Sendable {
  package var seed: UInt64
  package var steps: Int
  package var sabotage: Sabotage?
  /// Who says what is not so.
  package var liars: Liars
  /// Whether to keep what happened in words: slow.
  package var keepsTrace = false
  package init(
    seed: UInt64, steps: Int? = nil, sabotage: Sabotage? = nil, liars: Liars = .nobody
  ) {
    self.seed = seed
    self.steps = steps ?? liars.steps
    self.sabotage = sabotage
    self.liars = liars
  }

  /// What a replay needs besides seed and steps.
  var arguments: String {
    (liars == .nobody ? "" : " --liars \(liars.rawValue)")
      + (sabotage.map { " --sabotage \($0.rawValue)" } ?? "")
  }
}

/// Who in a history lies, beside honest ones.
package enum Liars: String, CaseIterable, Sendable {
  case nobody
  /// Members, and clients that wait.
  case members
  /// The hub, with a member that seals for it.
  case hub

  /// Steps of a history: many short ones show more of what liars do than few long ones.
  package var steps: Int { self == .members ? 40 : 150 }
}

/// A virtual network of one hub, one master app and some members, on one thread under one virtual
/// clock.
final class World {
  let options: Options
  var random: SeededGenerator
  var now: Instant = .zero
  var events = EventQueue()
  var hub: HubHost
  var nodes: [Node] = []
  var liars: [Liar] = []
  var honestWord = HonestWord()
  /// Leaves that honest owners were asked for last.
  var lastAsked: [LeafKey] = []
  /// Whether liars say no more.
  var liarsAreSilent = false
  /// Whether liars say that the master was set back: what follows is a new epoch.
  let liarsClaimSetBacks: Bool
  var connections: [SessionID: Connection] = [:]
  var nextSession: SessionID = 1
  var oracle: Oracle
  var contents = ContentBook()
  var statistics = Statistics()
  /// Whether faults are over and everything must come to rest.
  var isSettling = false
  /// Whether reads may not fail any more.
  var isReadingAll = false
  /// When something last went wrong.
  var lastFault: Instant = .zero
  /// How many of 1000 steps bring something that may go wrong: some histories are calm.
  let faultiness: Int
  var sabotageIsDone = false
  /// What a person last decided about whom.
  var verdicts: [DeviceKey: Admission] = [:]
  /// When a person last decided.
  var decidedAt: Instant?
  /// Of whom the hub has heard that.
  var toldVerdicts: Set<DeviceKey> = []
  /// Of whom the hub was told otherwise since, by a master that was set back and only knew that it
  /// doubts: once that is set back as well, nobody knows of the verdict.
  var overruled: Set<DeviceKey> = []
  /// Whether the master's disk ever went back to yesterday, and whether the hub ever lost its
  /// registry, or went back.
  var masterWasSetBack = false
  var hubForgot = false
  var stepsLeft: Int
  private(set) var failure: String?
  private(set) var trace: [String] = []

  init(_ options: Options) {
    self.options = options
    random = SeededGenerator(seed: options.seed)
    hub = HubHost(settings: options.hubSettings)
    stepsLeft = options.steps
    faultiness = random.chance(300) ? 100 : 1_000
    let epoch = random.next() | 1
    oracle = Oracle(epoch: epoch)
    let isHonest = options.liars != .members
    let count = isHonest ? 3 + random.below(5) : 3 + random.below(2)
    liarsClaimSetBacks = isHonest ? false : random.chance(250)
    for index in 0..<count {
      nodes.append(
        Node(
          index: index, incarnation: 0, member: memberSettings, fetcher: fetcherSettings))
    }
    nodes[0].master = MasterHost(
      master: Master(
        epoch: epoch, spareEpoch: random.next() | 1, settings: masterSettings,
        hash: SimulatedHash.hash, signer: SimulatedSignature.signer))
    // In some histories the list takes several pages.
    if isHonest, random.chance(40) {
      for node in nodes.suffix(2) { fill(node, entries: 200 + random.below(300)) }
    }
    if !isHonest { makeLiars() }
  }

  var masterSettings: Master.Settings {
    var settings = Master.Settings()
    settings.tombstoneLimit = 6
    if options.liars == .members, options.sabotage != .liftLimits {
      settings.limits = LiarLimits.list
      if options.sabotage == .refuseHonest { settings.limits.memberEntries = 1 }
    }
    return settings
  }

  var memberSettings: Member.Settings { Member.Settings() }

  var fetcherSettings: ChunkFetcher.Settings {
    var settings = ChunkFetcher.Settings()
    settings.budget = 2 << 20
    settings.heldLimit = 8
    return settings
  }

  /// Notes that something is wrong; the first word counts and ends the history.
  func fail(_ reason: @autoclosure () -> String) {
    if failure == nil {
      failure = reason()
      note("FAILED: \(failure!)")
    }
  }

  /// Notes what happens, where a trace is kept.
  func note(_ line: @autoclosure () -> String) {
    if options.keepsTrace { trace.append("\(seconds(now)) \(line())") }
  }

  private func seconds(_ instant: Instant) -> String {
    let (whole, atto) = instant.components
    let thousandths = String(atto / 1_000_000_000_000_000)
    return "\(whole)." + String(repeating: "0", count: 3 - thousandths.count) + thousandths
  }

  /// A random id, of an entry or a version.
  func newID() -> RandomID { RandomID(using: &random) }
}

/// How much a history did.
package struct Statistics: Sendable {
  package var events = 0
  package var changes = 0
  package var reads = 0
  package var verifiedReads = 0
  package var failedReads = 0
  package var refusals = 0
  package var waits = 0
  package var acks = 0
  package var links = 0
  package var masterRestarts = 0
  package var keptLists = 0
  package var hubRestarts = 0
  /// Disks of masters that went back to yesterday, registries that were lost, and masters that
  /// noticed.
  package var setBacks = 0
  package var lostRegistries = 0
  package var noticed = 0
  package var virtualSeconds: Int64 = 0
  /// What liars said, which of it the master heard, and how often the hub ended one's connection.
  package var lies = 0
  package var liesHeard = 0
  package var liarsRefused = 0
  /// What a hub made up, left out, repeated or held back of the list, and how often a member found
  /// that out.
  package var hubLies = 0
  package var falseLists = 0
  /// Requests of honest members that had to be answered while liars went on.
  package var probes = 0
  package init() {}

  package static func += (sum: inout Statistics, other: Statistics) {
    sum.events += other.events
    sum.changes += other.changes
    sum.reads += other.reads
    sum.verifiedReads += other.verifiedReads
    sum.failedReads += other.failedReads
    sum.refusals += other.refusals
    sum.waits += other.waits
    sum.acks += other.acks
    sum.links += other.links
    sum.masterRestarts += other.masterRestarts
    sum.keptLists += other.keptLists
    sum.hubRestarts += other.hubRestarts
    sum.setBacks += other.setBacks
    sum.lostRegistries += other.lostRegistries
    sum.noticed += other.noticed
    sum.virtualSeconds += other.virtualSeconds
    sum.lies += other.lies
    sum.liesHeard += other.liesHeard
    sum.liarsRefused += other.liarsRefused
    sum.probes += other.probes
    sum.hubLies += other.hubLies
    sum.falseLists += other.falseLists
  }
}
