import Core
import Protocol

/// How liars come, go, listen and speak.
extension World {
  func makeLiars() {
    let count = 1 + random.below(3)
    for index in 0..<count {
      guard let habit = random.pick(Liar.Habit.allCases) else { return }
      liars.append(
        Liar(
          index: index, isStranger: index > 0 && random.chance(300), habit: habit,
          incarnation: 1 + random.next() % 1_000))
    }
  }

  func beginLiar(_ liar: Liar) {
    events.put(.liarConnects(liar.index), at: random.span(0...3_000))
    events.put(.liarActs(liar.index), at: random.span(500...6_000))
  }

  func isLiar(_ peer: Peer) -> Bool {
    if case .liar = peer { true } else { false }
  }

  /// Whether the hub gave this number to a liar.
  func isLiar(_ publicID: PublicID) -> Bool {
    hub.persisted[publicID].map { client in liars.contains { $0.key == client.key } } ?? false
  }

  /// Whether a liar has this number by the list of a node.
  func isLiar(_ publicID: PublicID, seenBy node: Node) -> Bool {
    guard let key = node.member.replica.members[publicID]?.key else { return false }
    return liars.contains { $0.key == key }
  }

  /// Whether whoever registers as `key` can prove that it is.
  func proves(_ peer: Peer, _ key: DeviceKey) -> Bool {
    switch peer {
    case .node(let index): nodes[index].key == key
    case .liar(let index): liars[index].key == key
    }
  }

  func listens(_ peer: Peer) -> Bool {
    if case .liar(let index) = peer { liars[index].listens } else { true }
  }

  func takesLeaves(_ peer: Peer) -> Bool {
    if case .liar(let index) = peer { liars[index].takesLeaves } else { true }
  }

  /// What liars do to their own connections is no fault that excuses anything.
  func noteFault(_ connection: Connection) {
    if !isLiar(connection.peer) { lastFault = now }
  }

  /// The number that the hub has given a liar; and whether it is in.
  func number(of liar: Liar) -> (publicID: PublicID, isIn: Bool)? {
    guard let publicID = connection(of: liar)?.publicID else { return nil }
    return (publicID, hub.admissions[publicID] == .approved)
  }

  func connection(of liar: Liar) -> Connection? {
    guard let connection = liar.session.flatMap({ connections[$0] }), connection.nodeIsOpen,
      !connection.isCut
    else { return nil }
    return connection
  }

  func connect(_ liar: Liar) {
    guard hub.hub != nil else {
      return events.put(.liarConnects(liar.index), at: now + random.span(500...3_000))
    }
    let connection = Connection(id: nextSession, peer: .liar(liar.index))
    nextSession += 1
    connections[connection.id] = connection
    liar.session = connection.id
    connection.lastUp = now + delay()
    note("liar \(liar.index) connects as session \(connection.id)")
    events.put(.opened(connection.id), at: connection.lastUp)
  }

  func liarSeesEnd(_ connection: Connection) {
    guard case .liar(let index) = connection.peer, liars[index].session == connection.id else {
      return
    }
    note("liar \(index) sees the end of session \(connection.id)")
    liars[index].session = nil
    freeUntaken(connection)
    events.put(.liarConnects(index), at: now + random.span(20...1_500))
  }

  /// A message of the hub at a liar's end.
  func liarHears(_ bytes: [UInt8], on connection: Connection) {
    guard case .liar(let index) = connection.peer, let message = try? Message(decoding: bytes)
    else { return }
    let liar = liars[index]
    note("liar \(index) hears \(brief(message))")
    if case .hello = message { return registerLiar(liar, connection) }
    guard liar.listens else { return }
    switch message {
    case .bulkTickets:
      guard random.chance(900) else { return }
      events.put(
        .bulkOpens(connection.id, tickets: connection.tickets), at: now + random.span(1...200))
    case .uploadChunkRequest(let request):
      liar.asked.append(request)
      if liar.asked.count > 8 { liar.asked.removeFirst() }
      answerUpload(request, liar, connection)
    default: break
    }
  }

  private func registerLiar(_ liar: Liar, _ connection: Connection) {
    if random.chance(liarsAreSilent ? 0 : 60) {
      // Never says who it is, or speaks before it does.
      if random.chance(500) { say(lie(liar), liar, connection) }
      return
    }
    if liar.habit == .coming, random.chance(300) { liar.incarnation &-= 1 }
    if random.chance(200) { begin(liar, liar.incarnation &+ 1) }
    let isForged = random.chance(liarsAreSilent ? 0 : 60)
    let victim = random.pick(nodes)?.key ?? liar.key
    let register = Register(
      key: isForged ? victim : liar.key, incarnation: liar.incarnation,
      reached: claimedGeneration(), name: DeviceName(random.chance(500) ? "node 1" : "liar")!,
      system: "virtual", claim: [], proof: [UInt8](repeating: 0, count: Register.proofLength))
    let message: Message =
      random.chance(liarsAreSilent ? 0 : 30)
      ? .masterAppRegister(register) : .clientRegister(register)
    say(message, liar, connection)
  }

  /// The generation of the group key that a liar says it had: what is later than the latest sets
  /// the master off.
  private func claimedGeneration() -> UInt32 {
    if liarsClaimSetBacks, !isSettling, random.chance(300) {
      return [nodes[0].generation + 1, nodes[0].generation + 4_096, 1 << 24, .max][random.below(4)]
    }
    return random.chance(500) ? 0 : min(1, nodes[0].generation)
  }

  /// A liar goes on as another run of its process.
  func begin(_ liar: Liar, _ incarnation: Incarnation) {
    liar.incarnation = incarnation
    liar.counter = 0
  }

  func say(_ message: Message, _ liar: Liar, _ connection: Connection) {
    guard let bytes = try? message.encoded() else { return }
    say(bytes, liar, connection, brief(message))
  }

  func say(
    _ bytes: [UInt8], _ liar: Liar, _ connection: Connection, _ words: @autoclosure () -> String
  ) {
    note("liar \(liar.index) says \(words())")
    statistics.lies += 1
    up(bytes, on: connection)
  }

  /// The hub ends a connection on which something came that is no message.
  func endUndecoded(_ session: SessionID) {
    statistics.liarsRefused += 1
    guard let connection = connections[session] else { return }
    connection.hubIsOpen = false
    connection.bulkIsOpen = false
    events.put(.nodeSeesEnd(session), at: max(now, connection.lastDown) + .milliseconds(1))
    withHub { hub, actions in hub.closed(session, now: now, into: &actions) }
  }

  /// A liar's turn.
  func act(_ liar: Liar) {
    if liarsAreSilent { return }
    events.put(
      .liarActs(liar.index), at: now + random.span(isSettling ? 500...5_000 : 50...2_500))
    // Also when the hub has ended its connection.
    actOnLines(liar)
    guard let connection = connection(of: liar) else { return }
    let isIn = number(of: liar)?.isIn == true
    // Whoever is not in loses its connection with the first word.
    if !isIn, random.chance(700) { return }
    if random.chance(liar.habit == .deaf ? 150 : 30) { setListening(liar, !liar.listens) }
    if random.chance(100) { setTaking(liar, !liar.takesLeaves) }
    let isFlood = random.chance(25)
    for _ in 0..<(isFlood ? 40 + random.below(120) : 1 + random.below(4)) {
      if random.chance(8) {
        sayGarbage(liar, connection)
      } else if random.chance(liar.habit == .coming ? 60 : 8) {
        comeAgain(liar, connection)
        return
      } else if random.chance(120) || liar.habit == .serving && random.chance(400) {
        uploadUnasked(liar, connection)
      } else {
        say(lie(liar), liar, connection)
      }
    }
  }

  /// Leaves, or just begins another connection.
  private func comeAgain(_ liar: Liar, _ connection: Connection) {
    if random.chance(500) {
      say(.leave, liar, connection)
    } else if random.chance(500) {
      connection.nodeIsOpen = false
      events.put(.hubSeesEnd(connection.id), at: connection.lastUp + .milliseconds(1))
    }
    freeUntaken(connection)
    begin(liar, random.chance(700) ? liar.incarnation &+ 1 : random.next())
    connect(liar)
  }

  private func sayGarbage(_ liar: Liar, _ connection: Connection) {
    var bytes = (try? lie(liar).encoded()) ?? []
    for _ in 0...random.below(4) where !bytes.isEmpty {
      bytes[random.below(bytes.count)] = UInt8(truncatingIfNeeded: random.next())
    }
    if random.chance(200) { bytes.removeLast(random.below(bytes.count + 1)) }
    say(bytes, liar, connection, "\(bytes.count) bytes of garbage")
  }

  func setListening(_ liar: Liar, _ listens: Bool) {
    liar.listens = listens
    note("liar \(liar.index) \(listens ? "listens" : "does not listen")")
    if listens, let connection = connection(of: liar) { freeUntaken(connection) }
  }

  func setTaking(_ liar: Liar, _ takes: Bool) {
    liar.takesLeaves = takes
    guard takes, let connection = connection(of: liar), connection.bulkIsOpen else { return }
    let held = connection.held
    connection.held = []
    for frame in held { downFrame(frame, on: connection) }
  }

  /// The hub has said something to a session: where that is not taken it waits, and whoever is too
  /// far behind is ended, as the runtime does.
  func noteUntaken(_ bytes: Int, _ connection: Connection) {
    guard case .liar(let index) = connection.peer, !liars[index].listens, connection.hubIsOpen
    else { return }
    connection.untaken += bytes
    if connection.untaken > LiarLimits.controlQueue {
      note("\(connection.peer) is too slow")
      connection.untaken = 0
      events.put(.hubSeesEnd(connection.id), at: now)
      return events.put(.nodeSeesEnd(connection.id), at: now + random.span(1...500))
    }
    if connection.untaken > LiarLimits.controlQueue / 8, hub.hub?.isCongested == false {
      note("the hub is congested by \(connection.peer)")
      withHub { hub, actions in hub.setCongested(true, now: now, into: &actions) }
    }
  }

  private func freeUntaken(_ connection: Connection) {
    connection.untaken = 0
    followCongestion()
  }

  /// Whether somebody is behind still.
  func followCongestion() {
    guard hub.hub?.isCongested == true,
      !connections.values.contains(where: {
        $0.hubIsOpen && $0.untaken > LiarLimits.controlQueue / 32
      })
    else { return }
    withHub { hub, actions in hub.setCongested(false, now: now, into: &actions) }
  }

  /// Liars say no more: what they have set going must come to rest.
  func liarsFallSilent() {
    note("the liars fall silent")
    liarsAreSilent = true
    for liar in liars {
      setListening(liar, true)
      setTaking(liar, true)
    }
  }
}
