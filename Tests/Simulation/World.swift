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
  /// The network between members, what goes on in it, and the numbers given last.
  var direct = DirectNetwork()
  var lines: [LineID: Line] = [:]
  var dials: [UInt64: Dial] = [:]
  var nextLine: LineID = 0
  var nextDial: UInt64 = 0
  /// From when on nothing happens to lines any more.
  var linesAreWellFrom: Instant?
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
    direct = DirectNetwork(peers, &random)
    for node in nodes {
      node.usesLines = !random.chance(80)
      node.listens = node.usesLines && !random.chance(100)
    }
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
