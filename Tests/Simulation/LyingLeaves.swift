import Core
import Protocol

/// What liars say about leaves: others' and their own, asked for or not.
extension World {
  /// Notes what an honest owner is asked for; whoever lies about it must be quick.
  func noteAsked(_ request: ChunkRequest) {
    guard !liars.isEmpty else { return }
    lastAsked.append(request.key(0))
    if lastAsked.count > 8 { lastAsked.removeFirst() }
    if random.chance(200) { forgeByLine(request.key(0)) }
    guard !liarsAreSilent, random.chance(300), let liar = random.pick(liars),
      let connection = connection(of: liar), number(of: liar)?.isIn == true
    else { return }
    forge(request.key(0), connection, liar)
  }

  /// A wild request, often of what somebody has.
  func lyingRequest(_ liar: Liar) -> ChunkRequest {
    let listed = random.pick(oracle.listed)
    var owner = listed?.owner ?? .master
    if random.chance(150) { owner = PublicID(UInt32(random.below(9))) }
    let isReal = random.chance(800)
    let count = random.chance(500) ? 1 + random.below(4) : Int(Limits.leavesPerRequest)
    let scale =
      random.chance(850)
      ? Limits.leafScale
      : Limits.smallestScale + UInt8(random.below(6))
    let leaves = max(1, listed?.entry.leafCount ?? 1)
    let generation =
      random.chance(900) ? nodes[0].generation : UInt32(truncatingIfNeeded: someNumber())
    return ChunkRequest(
      owner: owner, entry: isReal ? listed?.entry.id ?? newID() : newID(),
      version: isReal ? listed?.entry.version ?? newID() : newID(), scale: scale,
      generation: generation,
      first: random.chance(700) ? random.next() % leaves : someNumber() % Limits.fileSize >> 17,
      count: UInt32(count), pastCache: random.chance(300))
  }

  /// CHUNK_FAILED for what is its own, and at times for what is not, which ends its connection.
  func lyingFailure(_ liar: Liar) -> Message {
    let reason = ChunkFailureReason(rawValue: UInt8(1 + random.below(7))) ?? .busy
    let retryAfter = UInt32(truncatingIfNeeded: someNumber())
    if random.chance(20), let key = random.pick(lastAsked) {
      return .chunkFailed(ChunkFailure(key, reason: reason, retryAfter: retryAfter))
    }
    let request = random.pick(liar.asked) ?? lyingRequest(liar)
    let owner = number(of: liar)?.publicID ?? .master
    let own = ChunkRequest(
      owner: owner, entry: request.entry, version: request.version, scale: request.scale,
      generation: request.generation, first: request.first, count: request.count,
      pastCache: false)
    return .chunkFailed(ChunkFailure(own, reason: reason, retryAfter: retryAfter))
  }

  /// What a liar makes of a request for its own leaves.
  func answerUpload(_ request: ChunkRequest, _ liar: Liar, _ connection: Connection) {
    if random.chance(300) { return }
    if random.chance(250) { return say(lyingFailure(liar), liar, connection) }
    for offset in 0..<request.count where random.chance(900) {
      let isShort = random.chance(150)
      let count = isShort ? random.below(1 << Int(request.scale)) : 1 << Int(request.scale)
      upload(request.key(offset), count: count, connection)
    }
  }

  /// Leaves that nobody asked for, of its own or of somebody else, or frames that are none.
  func uploadUnasked(_ liar: Liar, _ connection: Connection) {
    guard connection.bulkIsOpen, let number = number(of: liar) else { return }
    let key = lyingRequest(liar).key(0)
    if random.chance(20) {
      upFrame((0..<random.below(80)).map { UInt8($0) }, on: connection)
    } else if random.chance(20) {
      forge(random.pick(lastAsked) ?? key, connection, liar)
    } else {
      let own = LeafKey(
        owner: number.publicID, entry: key.entry, version: key.version, scale: key.scale,
        generation: key.generation, index: key.index)
      upload(own, count: random.below(1 << Int(key.scale)), connection)
    }
  }

  /// Says that a leaf of somebody else is something else, or does not come.
  private func forge(_ key: LeafKey, _ connection: Connection, _ liar: Liar) {
    if random.chance(500) {
      upload(key, count: 1 << Int(key.scale), connection)
    } else {
      say(.chunkFailed(ChunkFailure(key, reason: .unreadable)), liar, connection)
    }
  }

  private func upload(_ key: LeafKey, count: Int, _ connection: Connection) {
    guard connection.bulkIsOpen else { return }
    statistics.lies += 1
    upFrame(
      BulkFrame.header(key, payload: count) + [UInt8](repeating: 0x6c, count: count),
      on: connection)
  }
}
