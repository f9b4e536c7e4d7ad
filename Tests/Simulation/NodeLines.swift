import Core
import Protocol

/// What a node's process knows of its lines to other members.
struct NodeLines {
  /// A run of bytes that went to a member by a line, for the checks.
  struct Served {
    let version: VersionKey
    let bytes: Range<UInt64>
    let reader: PublicID
    let at: Instant
  }

  var keeper = LineKeeper()
  var served = ServedDirectly()
  /// The lines by which leaves may be asked for, and by whom.
  var open: [LineID: PublicID] = [:]
  /// Whether the hub has said that it passes addresses on.
  var hubPasses = false
  /// What was told last, and under which generation.
  var told: MemberAddresses?
  var toldUnder: UInt32 = 0
  private(set) var log: [Served] = []
  /// What is asked for by lines and by nothing else, by which one and since when; and when anything
  /// came by each.
  var asked: [LeafKey: (line: LineID, at: Instant)] = [:]
  var heard: [LineID: Instant] = [:]

  /// Leaves are asked for by a line, or of the hub.
  mutating func note(asked request: ChunkRequest, by line: LineID?, now: Instant) {
    if line == nil, asked.isEmpty { return }
    for offset in 0..<request.count {
      asked[request.key(offset)] = line.map { ($0, now) }
    }
  }

  /// The owner has said why leaves do not come: when they are asked for again is its word.
  mutating func noteAnswered(_ failure: ChunkFailure) {
    if asked.isEmpty { return }
    for offset in 0..<failure.count { asked[failure.key(offset)] = nil }
  }

  /// Whether a line to a member stands.
  func leads(to publicID: PublicID) -> Bool { keeper.line(to: publicID) != nil }

  /// Notes what goes by a line. Returns: whether nobody else got some of it by another one lately,
  /// since what two want the hub gives.
  mutating func note(_ request: ChunkRequest, for reader: PublicID, now: Instant) -> Bool {
    let scale = UInt64(request.scale)
    let bytes = request.first << scale..<(request.first + UInt64(request.count)) << scale
    let version = request.key(0).content
    log.removeAll { now - $0.at >= ServedDirectly.window }
    let isAlone = !log.contains {
      $0.version == version && $0.reader != reader && $0.bytes.overlaps(bytes)
    }
    log.append(Served(version: version, bytes: bytes, reader: reader, at: now))
    return isAlone
  }
}

/// In the place of the seal around addresses: who has another key of the group does not open it.
enum SimulatedSeal {
  static func sealed(
    _ addresses: MemberAddresses, of publicID: PublicID, _ generation: UInt32
  ) -> [UInt8] {
    var writer = ByteWriter()
    writer.put(generation)
    writer.put(publicID)
    return writer.bytes + addresses.encoded
  }

  static func opened(
    _ sealed: [UInt8], of publicID: PublicID, _ generation: UInt32
  ) -> MemberAddresses? {
    var writer = ByteWriter()
    writer.put(generation)
    writer.put(publicID)
    guard sealed.starts(with: writer.bytes) else { return nil }
    return try? MemberAddresses(decoding: Array(sealed.dropFirst(writer.count)))
  }
}
