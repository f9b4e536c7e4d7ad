import Core
import Protocol

/// What liars do on lines to honest members: it may cost them that line, and nobody anything else.
extension World {
  /// Lines that one liar has at a time.
  private static let linesOfLiar = 4

  /// What the hub is told of where a liar listens.
  func lyingAddresses(_ liar: Liar) -> Message {
    if random.chance(300) {
      let publicID = number(of: liar)?.publicID ?? .master
      return .askAddresses(
        random.chance(800) ? PublicID(UInt32(random.below(9))) : publicID)
    }
    if random.chance(200) { return .tellAddresses(mangled([7, 0, 0, 0, 1])) }
    let own = direct.hosts(of: .liar(liar.index))
    // Somebody else may answer there.
    let others = random.pick(nodes).map { direct.hosts(of: .node($0.index)) } ?? []
    let hosts = random.chance(800) ? own : random.chance(500) ? others : others + own
    let many = random.chance(50) ? [String](repeating: "10.0.0.1", count: 40) : []
    let port = random.chance(900) ? DirectNetwork.port : 9
    return .tellAddresses(
      SimulatedSeal.sealed(
        MemberAddresses(port: port, hosts: many + hosts),
        of: number(of: liar)?.publicID ?? .master, nodes[0].generation))
  }

  /// A liar dials somebody honest.
  func dialSomebody(_ liar: Liar) {
    guard direct.isThere, lines(of: .liar(liar.index)).count < Self.linesOfLiar,
      let node = random.pick(nodes),
      direct.reach(from: .liar(liar.index), to: .node(node.index)) == .open
    else { return }
    guard let accepted = acceptedEnd(from: .liar(liar.index), node) else { return }
    let dialled = LineEnd(
      .liar(liar.index), run: liar.incarnation, other: node.member.publicID ?? .master,
      key: node.key)
    begin(dialled, accepted)
  }

  /// The first that a liar says on a line.
  func greet(_ liar: Liar, _ line: Line, _ side: LineSide) {
    switch random.below(100) {
    case 0..<85: send(.ready, on: line, from: side)
    case 85..<90: say(.garbage, liar, line, side)
    // It is believed nothing before it has said that it is ready; here that is left out.
    case 90..<95: sayByLine(.requestChunk(lyingRequest(liar)), liar, line, side)
    default: break
    }
  }

  /// A word at a liar's end.
  func liarTakes(_ word: LineWord, _ liar: Liar, _ line: Line, _ side: LineSide) {
    guard case .message(let bytes) = word,
      case .requestChunk(let request)? = try? Message(decoding: bytes)
    else { return }
    switch random.below(100) {
    case 0..<25: break
    case 25..<50: sayByLine(lyingFailure(of: request), liar, line, side)
    case 50..<60: act(liar, on: line, side)
    default:
      for offset in 0..<request.count where random.chance(900) {
        let whole = 1 << Int(request.scale)
        sayLeaf(
          request.key(offset), count: random.chance(150) ? random.below(whole) : whole, liar, line,
          side)
      }
    }
  }

  /// A liar's turn on one of its lines.
  func actOnLines(_ liar: Liar) {
    guard direct.isThere else { return }
    let standing = lines(of: .liar(liar.index))
    if number(of: liar)?.isIn != true {
      // It was put out, and takes what it still gets.
      for (line, side) in standing { sayByLine(ownRequest(of: liar, line, side), liar, line, side) }
    }
    guard random.chance(300) else { return }
    guard random.chance(700), let (line, side) = random.pick(standing) else {
      return dialSomebody(liar)
    }
    let times = random.chance(30) ? 30 + random.below(100) : 1 + random.below(3)
    for _ in 0..<times { act(liar, on: line, side) }
  }

  private func act(_ liar: Liar, on line: Line, _ side: LineSide) {
    switch random.below(100) {
    case 0..<35: sayByLine(ownRequest(of: liar, line, side), liar, line, side)
    case 35..<45: sayByLine(.requestChunk(lyingRequest(liar)), liar, line, side)
    case 45..<55: sayByLine(lyingFailure(of: lyingRequest(liar)), liar, line, side)
    // Leaves of its own that nobody asked for.
    case 55..<65:
      let key = lyingRequest(liar).key(0)
      sayLeaf(owned(key, by: liar), count: random.below(1 << Int(key.scale)), liar, line, side)
    // Leaves of somebody else, which others wait for just now.
    case 65..<85:
      let key = random.pick(lastAsked) ?? lyingRequest(liar).key(0)
      sayLeaf(key, count: 1 << Int(key.scale), liar, line, side)
    case 85..<90: sayByLine(lie(liar), liar, line, side)
    case 90..<95: say(.garbage, liar, line, side)
    case 95..<97: say(.leaf((0..<random.below(80)).map { UInt8($0) }), liar, line, side)
    case 97..<98: say(.message(mangled([0x50, 0, 0, 0, 1])), liar, line, side)
    default: end(line, side, "it is a liar's")
    }
  }

  /// An honest owner's leaf is asked for just now: a liar with a line to who asked says another.
  func forgeByLine(_ key: LeafKey) {
    guard let liar = random.pick(liars), !liarsAreSilent,
      let (line, side) = random.pick(lines(of: .liar(liar.index)))
    else { return }
    sayLeaf(key, count: 1 << Int(key.scale), liar, line, side)
  }

  /// A request for what the other end has.
  private func ownRequest(of liar: Liar, _ line: Line, _ side: LineSide) -> Message {
    guard case .node(let index) = line[side.other].peer,
      let owner = nodes[index].member.publicID,
      let entry = random.pick(nodes[index].folder.sorted.filter { $0.kind == .file })
    else { return .requestChunk(lyingRequest(liar)) }
    return .requestChunk(
      ChunkRequest(
        owner: owner, entry: entry.id, version: entry.version, scale: Limits.leafScale,
        generation: nodes[index].generation, first: UInt64(random.below(3)),
        count: 1 + UInt32(random.below(random.chance(800) ? 3 : Int(Limits.leavesPerRequest))),
        pastCache: false))
  }

  private func lyingFailure(of request: ChunkRequest) -> Message {
    let reason = ChunkFailureReason(rawValue: UInt8(1 + random.below(8))) ?? .shared
    return .chunkFailed(
      ChunkFailure(
        request, reason: reason, retryAfter: UInt32(truncatingIfNeeded: someNumber())))
  }

  private func owned(_ key: LeafKey, by liar: Liar) -> LeafKey {
    LeafKey(
      owner: number(of: liar)?.publicID ?? .master, entry: key.entry, version: key.version,
      scale: key.scale, generation: key.generation, index: key.index)
  }

  private func sayLeaf(
    _ key: LeafKey, count: Int, _ liar: Liar, _ line: Line, _ side: LineSide
  ) {
    let frame =
      BulkFrame.header(key, payload: count) + [UInt8](repeating: 0x6c, count: count)
    say(.leaf(frame), liar, line, side)
  }

  private func sayByLine(_ message: Message, _ liar: Liar, _ line: Line, _ side: LineSide) {
    guard let bytes = try? message.encoded() else { return }
    say(.message(bytes), liar, line, side)
  }

  private func say(_ word: LineWord, _ liar: Liar, _ line: Line, _ side: LineSide) {
    note("liar \(liar.index) lies by line \(line.id)")
    statistics.lines.lies += 1
    send(word, on: line, from: side)
  }
}
