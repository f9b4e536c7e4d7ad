import Protocol

/// SplitMix64, so that a failure can be replayed from its seed; or what a fuzzer's input says, as
/// long as it lasts.
struct TestGenerator: RandomNumberGenerator {
  private var state: UInt64
  private var input: ArraySlice<UInt8> = []

  init(seed: UInt64) { state = seed }

  /// Numbers as the bytes of a fuzzer's input say: small ones, which meet each other, those at the
  /// edges of what types hold, and any others.
  init(input: [UInt8]) {
    state = UInt64(input.count)
    self.input = input[...]
  }

  /// Whether the fuzzer has said more.
  var hasInput: Bool { !input.isEmpty }

  /// Numbers at which arithmetic goes wrong.
  private static let edges: [UInt64] = [
    .max, .max - 1, 1 << 63, (1 << 63) - 1, (1 << 63) + 1, 1 << 32, (1 << 32) - 1, 1 << 31,
    (1 << 31) - 1,
    1 << 16, (1 << 16) - 1, 1 << 15, 1_000_000_000, 999_999_999, UInt64.max / 2 - 999_999_999,
    131_072,
  ]

  private mutating func nextOfInput() -> UInt64? {
    guard let kind = input.popFirst() else { return nil }
    if kind < 160 { return UInt64(kind % 80) }
    if kind < 192 { return Self.edges[Int(kind) % Self.edges.count] }
    var number: UInt64 = 0
    for _ in 0...(kind % 8) { number = number << 8 | UInt64(input.popFirst() ?? 0) }
    return number
  }

  mutating func next() -> UInt64 {
    if let said = nextOfInput() { return said }
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }

  mutating func below(_ limit: Int) -> Int { Int(next() % UInt64(limit)) }
  mutating func bytes(_ count: Int) -> [UInt8] {
    (0..<count).map { _ in UInt8(truncatingIfNeeded: next()) }
  }
  mutating func bytes(upTo limit: Int) -> [UInt8] { bytes(below(limit + 1)) }
  mutating func pick<Item>(_ choices: [Item]) -> Item { choices[below(choices.count)] }
}

/// Random values of everything that the wire carries.
extension TestGenerator {
  mutating func publicID() -> PublicID { PublicID(UInt32(truncatingIfNeeded: next())) }
  mutating func randomID() -> RandomID { RandomID(using: &self) }
  mutating func order() -> ListOrder { ListOrder(epoch: next(), seq: next()) }
  mutating func transfer() -> TransferID { TransferID(incarnation: next(), counter: next()) }
  mutating func text(_ limit: Int) -> String {
    String((0..<(1 + below(limit / 4))).map { _ in pick(Array("aZ09 -ößж€𐍈")) })
  }
  mutating func deviceName() -> DeviceName {
    guard let name = DeviceName(text(Limits.deviceName)) else {
      preconditionFailure("the characters are good")
    }
    return name
  }
  mutating func key() -> DeviceKey {
    DeviceKey(signing: bytes(DeviceKey.partLength), agreement: bytes(DeviceKey.partLength))
  }
  mutating func admission() -> Admission { pick([.waiting, .approved, .disapproved]) }

  mutating func path() -> SharePath {
    let parts = (0..<(1 + below(4))).map { _ in
      (0..<(1 + below(12))).map { _ in
        pick([0x61, 0xff, 0x80, 0x20, 0x0a, 0x2d, 0x5c, 0x7e] as [UInt8])
      }
    }
    do { return try SharePath(Array(parts.joined(separator: [0x2f]))) } catch {
      preconditionFailure("the parts are good: \(error)")
    }
  }

  mutating func entry() -> Entry {
    let path = path()
    let kind = pick([EntryKind.file, .directory, .symlink])
    return Entry(
      id: randomID(), path: path, kind: kind, version: kind == .directory ? .zero : randomID(),
      size: kind == .directory ? 0 : next() % (Limits.fileSize + 1),
      modified: fileTime(), mode: UInt16(below(0o10000)),
      target: kind == .symlink ? Array("x/\(below(10))".utf8) : [],
      beginning: kind == .file && below(3) == 0 ? randomID() : nil)
  }

  /// Any that there is; often one at an end of what fits.
  mutating func fileTime() -> FileTime {
    let seconds = pick([Int64(bitPattern: next()), .min, .max, 0, -1])
    let nanoseconds = pick([UInt32(below(1_000_000_000)), 0, FileTime.nanosecondsPerSecond - 1])
    return FileTime(seconds: seconds, nanoseconds: nanoseconds)!
  }

  mutating func clientRecord() -> ClientRecord {
    ClientRecord(
      publicID: publicID(), key: key(), name: deviceName(), system: text(Limits.system),
      address: text(Limits.address), firstSeen: Int64(bitPattern: next()),
      generation: UInt32(truncatingIfNeeded: next()), reached: UInt32(truncatingIfNeeded: next()),
      versions: versions(), admission: admission(), presence: pick([.online, .away, .gone]))
  }

  mutating func memberRecord() -> MemberRecord {
    MemberRecord(
      publicID: publicID(), name: deviceName(), admission: admission(),
      key: below(2) == 0 ? nil : key(), generation: UInt32(truncatingIfNeeded: next()),
      signature: below(2) == 0 ? [] : bytes(MemberRecord.signatureLength))
  }

  /// A record of a client, which has a key.
  mutating func numbered() -> MemberRecord {
    MemberRecord(
      publicID: PublicID(1 + UInt32(below(1_000))), name: deviceName(), admission: admission(),
      key: key(), generation: UInt32(truncatingIfNeeded: next()))
  }

  mutating func history() -> History { History(bytes(History.length)) }

  mutating func mark() -> ListMark { ListMark(seq: next(), history: history()) }

  mutating func cursor() -> ListCursor {
    ListCursor(order: order(), offset: UInt32(truncatingIfNeeded: next()), began: next())
  }

  mutating func request() -> ChunkRequest {
    let scale = UInt8(Int(Limits.smallestScale) + below(6))
    return ChunkRequest(
      owner: publicID(), entry: randomID(), version: randomID(), scale: scale,
      generation: UInt32(truncatingIfNeeded: next()),
      first: next() % (Limits.fileSize >> UInt64(scale)),
      count: UInt32(1 + below(Int(Limits.leavesPerRequest))), pastCache: below(2) == 0)
  }

  mutating func versions() -> ProtocolVersions {
    let lowest = UInt16(1 + below(60_000))
    return ProtocolVersions(lowest: lowest, highest: lowest + UInt16(below(5_000)))!
  }

  mutating func register() -> Register {
    Register(
      key: key(), incarnation: next(), reached: UInt32(truncatingIfNeeded: next()),
      versions: versions(), name: deviceName(), system: text(Limits.system),
      claim: bytes(upTo: Register.claimLimit), proof: bytes(Register.proofLength))
  }

  mutating func proposal() -> Proposal {
    Proposal(transfer: transfer(), oldest: next(), body: bytes(upTo: 60))
  }

  mutating func ordered() -> Ordered {
    Ordered(order: order(), sender: publicID(), transfer: transfer(), body: bytes(upTo: 60))
  }

  mutating func decision() -> Decision {
    Decision(
      order: order(), publicID: publicID(), generation: UInt32(truncatingIfNeeded: next()),
      body: bytes(upTo: 60))
  }

  mutating func failure() -> ChunkFailure {
    let request = request()
    let plain = ChunkRequest(request.key(0), count: request.count)
    return ChunkFailure(
      plain, reason: pick([.away, .gone, .changed, .denied, .busy, .unreadable]),
      retryAfter: UInt32(truncatingIfNeeded: next()))
  }
}
