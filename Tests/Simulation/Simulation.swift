import Core
import Protocol

/// What a failed history leaves behind.
package struct SimulationFailure: Error, CustomStringConvertible {
  package let seed: UInt64
  package let steps: Int
  package let reason: String
  /// More arguments of the replay.
  let arguments: String
  /// What happened last, in words.
  package let trace: [String]

  package var description: String {
    """
    seed \(seed), \(steps) steps: \(reason)
    replay: fshare-simulate --seed \(seed) --histories 1 --steps \(steps)\(arguments)
    \(trace.joined(separator: "\n"))
    """
  }
}

/// Runs histories: the same options always give the same history.
package enum Simulation {
  /// Events of one history at most: more means that it runs in circles.
  private static let eventLimit = 400_000
  /// How long everything has to come to rest.
  private static let rest: Duration = .seconds(150)
  /// Lines of the trace that a failure shows.
  private static let shownEvents = 50

  /// Runs one history; throws what is wrong, with a trace from a second run of the same seed.
  @discardableResult
  package static func run(
    _ options: Options, showing lines: Int? = nil
  ) throws(SimulationFailure) -> Statistics {
    let world = World(options)
    play(world)
    guard let reason = world.failure else { return world.statistics }
    var traced = options
    traced.keepsTrace = true
    let again = World(traced)
    play(again)
    let trace = again.trace.suffix(lines ?? shownEvents)
    throw SimulationFailure(
      seed: options.seed, steps: options.steps, reason: reason, arguments: options.arguments,
      trace: Array(trace))
  }

  /// All that happens in one history, in words.
  package static func trace(_ options: Options) -> [String] {
    var traced = options
    traced.keepsTrace = true
    let world = World(traced)
    play(world)
    return world.trace
  }

  private static func play(_ world: World) {
    world.begin()
    var end: Duration?
    while world.failure == nil, let (at, event) = world.events.pop() {
      if let end, at > end { break }
      world.now = at
      world.statistics.events += 1
      if world.statistics.events > eventLimit { world.fail("the network does not come to rest") }
      world.handle(event)
      if world.isSettling, end == nil { end = world.now + rest }
    }
    if let end { world.now = end }
    if world.failure == nil { world.checkRest() }
    world.statistics.virtualSeconds = world.now.components.seconds
  }
}

extension World {
  fileprivate func begin() {
    startHub()
    for node in nodes {
      let start = node.isMaster ? random.span(0...200) : random.span(0...5_000)
      events.put(.nodeStarts(node.index), at: start)
    }
    for liar in liars { beginLiar(liar) }
    events.put(.step, at: .milliseconds(500))
    events.put(.lineFault, at: .seconds(2))
  }

  fileprivate func handle(_ event: Event) {
    switch event {
    case .step: step()
    case .nodeConnects(let index): connect(nodes[index])
    case .opened(let session): opened(session)
    case .toHub(let session, let bytes): arrivedAtHub(bytes, on: session)
    case .toNode(let session, let bytes): arrivedAtNode(bytes, on: session)
    case .hubSeesEnd(let session): hubSeesEnd(session)
    case .nodeSeesEnd(let session): nodeSeesEnd(session)
    case .bulkOpens(let session, let tickets): bulkOpens(session, tickets: tickets)
    case .frameToHub(let session, let tickets, let frame):
      frameArrivedAtHub(frame, on: session, tickets: tickets)
    case .frameToNode(let session, let tickets, let frame):
      frameArrivedAtNode(frame, on: session, tickets: tickets)
    case .hubTick: tickHub()
    case .nodeTick(let index): tick(nodes[index])
    case .hubStarts: startHub()
    case .nodeStarts(let index): start(nodes[index])
    case .nodeHasScanned(let index, let incarnation):
      if nodes[index].incarnation == incarnation { hasScanned(nodes[index]) }
    case .readSome:
      // So that lines stand when everything is read.
      for node in nodes { readOneOfEach(node) }
    case .readEverything:
      isReadingAll = true
      // What is asked for meanwhile must have come by the end.
      linesAreWellFrom = now + .seconds(20)
      readEverything()
    case .liarConnects(let index): connect(liars[index])
    case .liarActs(let index): act(liars[index])
    case .probe: probe()
    case .liarsFallSilent: liarsFallSilent()
    case .dialAnswered(let number, let target): dialAnswered(number, target)
    case .dialGoesOn(let number): tryNext(number)
    case .dialEnds(let number): dialEnds(number)
    case .lineWord(let id, let side, let word): arrivedByLine(word, on: id, at: side)
    case .lineBytes(let id, let side): arrivedByLine(bytesOn: id, at: side)
    case .lineGone(let id, let side): sawEnd(of: id, at: side)
    case .lineGoesOn(let id): lineGoesOn(id)
    case .lineFault: lineFault()
    case .addressesLookedAt(let index): tellAddresses(nodes[index])
    }
  }

  private func step() {
    guard stepsLeft > 0 else { return settle() }
    stepsLeft -= 1
    workloadStep()
    faultStep()
    events.put(.step, at: now + (random.chance(300) ? .zero : random.span(1...1_500)))
  }
}
