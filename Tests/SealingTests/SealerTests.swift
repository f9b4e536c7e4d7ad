import Protocol
import Sealing
import Testing

/// What is sealed opens where it belongs and nowhere else.
struct SealerTests {
  private static let owner = PublicID(3)
  private static let transfer = TransferID(incarnation: 9, counter: 4)

  private static func sealer(_ key: GroupKey) -> Sealer {
    let sealer = Sealer()
    _ = sealer.use(key)
    return sealer
  }

  private static let masterID = DeviceIdentity()
  private static let memberID = DeviceIdentity()

  /// Two that hold the group's key and one of their own: the master, and the member `owner`.
  private static func ends(_ key: GroupKey) -> (master: Sealer, member: Sealer) {
    let (master, member) = (sealer(key), sealer(key))
    master.pair(owner, with: memberID.key, by: masterID, isMaster: true)
    member.pair(.master, with: masterID.key, by: memberID, isMaster: false)
    return (master, member)
  }

  /// A message as it is said: sealed by whoever may say it, with the one who hears it.
  private static func said(
    _ message: Message, _ ends: (master: Sealer, member: Sealer)
  ) throws -> (sealed: Message, sender: PublicID, hearer: Sealer) {
    switch message {
    case .addFiles, .removeFile:
      (try ends.member.seal(message, from: owner), owner, ends.master)
    default: (try ends.master.seal(message, from: .master, for: owner), .master, ends.member)
    }
  }

  private static func leaf(
    owner: PublicID = owner, entry: UInt64 = 1, version: UInt64 = 2, scale: UInt8 = 17,
    generation: UInt32 = 1, index: UInt64 = 5
  ) -> LeafKey {
    LeafKey(
      owner: owner, entry: RandomID(high: 0, low: entry), version: RandomID(high: 0, low: version),
      scale: scale, generation: generation, index: index)
  }

  private static let plain = (0..<70_000).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }

  private static func frame(_ sealer: Sealer, _ key: LeafKey) throws -> [UInt8] {
    try #require(
      try sealer.frame(key, length: plain.count) { buffer in
        buffer.copyBytes(from: plain)
        return plain.count
      })
  }

  // MARK: Leaves

  @Test func `a leaf opens as it was sealed, for everyone with the key`() throws {
    let key = GroupKey(newGeneration: 1)
    let frame = try Self.frame(Self.sealer(key), Self.leaf())
    #expect(try BulkFrame.key(of: frame) == Self.leaf())
    #expect(Self.sealer(key).open(frame, key: Self.leaf()) == Self.plain)
  }

  @Test func `nothing of a leaf can be read in its frame`() throws {
    let frame = try Self.frame(Self.sealer(GroupKey(newGeneration: 1)), Self.leaf())
    let start = Self.plain[..<16]
    let places = frame.indices.dropLast(16).filter { frame[$0..<($0 + 16)] == start }
    #expect(places.isEmpty)
  }

  @Test func `the same leaf is sealed differently each time`() throws {
    let sealer = Self.sealer(GroupKey(newGeneration: 1))
    #expect(try Self.frame(sealer, Self.leaf()) != Self.frame(sealer, Self.leaf()))
  }

  @Test(arguments: 0..<8)
  func `a frame in which one bit was flipped does not open`(bit: Int) throws {
    let sealer = Self.sealer(GroupKey(newGeneration: 1))
    let whole = try Self.frame(sealer, Self.leaf())
    // Every byte of the head that is bound, some of the nonce, the ciphertext and the tag.
    let places = Array(0..<72) + [1_000, whole.count - 17, whole.count - 16, whole.count - 1]
    for place in places {
      var frame = whole
      frame[place] ^= 1 << UInt8(bit)
      // As a reader does it: what the head says is what it is opened as.
      let opened = (try? BulkFrame.key(of: frame)).flatMap { sealer.open(frame, key: $0) }
      #expect(opened == nil, "byte \(place)")
    }
  }

  @Test(arguments: [0, 1, 55, 56, 57, 68, 83, 84, 85, 70_083])
  func `a frame that was cut short does not open`(length: Int) throws {
    let sealer = Self.sealer(GroupKey(newGeneration: 1))
    let frame = try Self.frame(sealer, Self.leaf())
    #expect(sealer.open(Array(frame[..<length]), key: Self.leaf()) == nil)
    #expect(sealer.open(frame + [0], key: Self.leaf()) == nil)
  }

  @Test(arguments: [
    leaf(owner: PublicID(4)), leaf(entry: 9), leaf(version: 9), leaf(scale: 16), leaf(index: 6),
  ])
  func `a leaf does not pass for another one`(other: LeafKey) throws {
    let sealer = Self.sealer(GroupKey(newGeneration: 1))
    let frame = try Self.frame(sealer, Self.leaf())
    #expect(sealer.open(frame, key: other) == nil)
    // Nor with the other one's head put in front of it.
    let header = BulkFrame.header(other, payload: frame.count - BulkFrame.payloadOffset)
    let swapped = header + frame[BulkFrame.payloadOffset...]
    #expect(sealer.open(swapped, key: other) == nil)
  }

  @Test func `another group's leaf does not open`() throws {
    let frame = try Self.frame(Self.sealer(GroupKey(newGeneration: 1)), Self.leaf())
    let other = Self.sealer(GroupKey(newGeneration: 1))
    #expect(other.open(frame, key: Self.leaf()) == nil)
  }

  @Test func `nothing new is sealed under an old key, but what is on its way still opens`() throws {
    let sealer = Self.sealer(GroupKey(newGeneration: 1))
    let frame = try Self.frame(sealer, Self.leaf())
    #expect(sealer.use(GroupKey(newGeneration: 2)))
    #expect(sealer.open(frame, key: Self.leaf()) == Self.plain)
    #expect(throws: SealFault.generation(1)) { try Self.frame(sealer, Self.leaf()) }
  }

  @Test func `an earlier key never comes back into use`() {
    let sealer = Self.sealer(GroupKey(newGeneration: 2))
    #expect(!sealer.use(GroupKey(newGeneration: 1)))
    #expect(sealer.generation == 2)
  }

  @Test func `a file that got shorter is not sealed`() throws {
    let sealer = Self.sealer(GroupKey(newGeneration: 1))
    #expect(try sealer.frame(Self.leaf(), length: 10) { _ in 9 } == nil)
  }

  // MARK: Bodies

  private static let order = ListOrder(epoch: 1, seq: 2)
  private static let bodies: [Message] = [
    .addFiles(Proposal(transfer: transfer, oldest: 4, body: plain)),
    .removeFile(Proposal(transfer: transfer, oldest: 4, body: [1])),
    .filesAdded(Ordered(order: order, sender: owner, transfer: transfer, body: plain)),
    .clientReleased(Ordered(order: order, sender: owner, transfer: transfer, body: [])),
    .clientApproved(Decision(order: order, publicID: owner, body: [1, 2])),
    .filesPage(
      FilesPage(after: .start, next: .start, more: false, restarts: true, body: plain)),
  ]

  @Test(arguments: bodies)
  func `a body opens as it was sealed`(message: Message) throws {
    let (sealed, sender, hearer) = try Self.said(message, Self.ends(GroupKey(newGeneration: 1)))
    #expect(sealed != message)
    #expect(try hearer.open(sealed, from: sender, as: Self.owner) == message)
  }

  @Test(arguments: bodies)
  func `a body opens in nobody else's name`(message: Message) throws {
    let (sealed, _, hearer) = try Self.said(message, Self.ends(GroupKey(newGeneration: 1)))
    #expect(throws: SealFault.self) { try hearer.open(sealed, from: PublicID(4)) }
  }

  @Test(arguments: bodies)
  func `a body in which a bit was flipped does not open`(message: Message) throws {
    let (sealed, sender, hearer) = try Self.said(message, Self.ends(GroupKey(newGeneration: 1)))
    var body = try #require(sealed.body)
    body[body.count - 1] ^= 1
    #expect(throws: SealFault.broken) {
      try hearer.open(sealed.replacingBody(body), from: sender)
    }
  }

  @Test func `another member proposes and answers in nobody's name`() throws {
    let key = GroupKey(newGeneration: 1)
    let ends = Self.ends(key)
    // With the group's key, and one of its own with the master.
    let liar = Self.sealer(key)
    liar.pair(.master, with: Self.masterID.key, by: DeviceIdentity(), isMaster: false)
    liar.pair(Self.owner, with: Self.memberID.key, by: DeviceIdentity(), isMaster: true)
    let proposed = try liar.seal(Self.bodies[0], from: Self.owner)
    #expect(throws: SealFault.broken) { try ends.master.open(proposed, from: Self.owner) }
    let page = try liar.seal(Self.bodies[5], from: .master, for: Self.owner)
    #expect(throws: SealFault.broken) { try ends.member.open(page, from: .master) }
    // What everyone hears opens for everyone; whose proposal it answers knows better.
    let answer = try liar.seal(Self.bodies[2], from: .master)
    #expect(try ends.member.open(answer, from: .master, as: PublicID(9)) == Self.bodies[2])
    #expect(throws: SealFault.notTheMaster) {
      try ends.member.open(answer, from: .master, as: Self.owner)
    }
    // Nor does a mark pass for another answer.
    let genuine = try ends.master.seal(Self.bodies[2], from: .master)
    let opened = try liar.open(genuine, from: .master)
    #expect(opened == Self.bodies[2])
    #expect(try ends.member.open(genuine, from: .master, as: Self.owner) == opened)
  }

  @Test func `a key of low order makes no pair`() {
    let useless = DeviceKey(
      signing: Self.memberID.key.signing, agreement: [UInt8](repeating: 0, count: 32))
    let sealer = Self.sealer(GroupKey(newGeneration: 1))
    #expect(!sealer.pair(Self.owner, with: useless, by: Self.masterID, isMaster: true))
    #expect(throws: SealFault.noKey) {
      try sealer.seal(Self.bodies[5], from: .master, for: Self.owner)
    }
  }

  @Test func `a body does not open under another head`() throws {
    let sealer = Self.sealer(GroupKey(newGeneration: 1))
    let sealed = try sealer.seal(Self.bodies[2], from: .master)
    let body = try #require(sealed.body)
    let later = ListOrder(epoch: 1, seq: 3)
    let heads: [Message] = [
      .filesAdded(
        Ordered(order: later, sender: Self.owner, transfer: Self.transfer, body: body)),
      .filesAdded(
        Ordered(order: Self.order, sender: .master, transfer: Self.transfer, body: body)),
      .fileRemoved(
        Ordered(order: Self.order, sender: Self.owner, transfer: Self.transfer, body: body)),
    ]
    for head in heads {
      #expect(throws: SealFault.broken) { try sealer.open(head, from: .master) }
    }
  }

  @Test func `what the master tells the hub opens as what everyone hears`() throws {
    let sealer = Self.sealer(GroupKey(newGeneration: 1))
    let decision = Decision(order: Self.order, publicID: Self.owner, body: [1, 2])
    guard case .approveClient(let sealed) = try sealer.seal(.approveClient(decision), from: .master)
    else { return #expect(Bool(false)) }
    #expect(try sealer.open(.clientApproved(sealed), from: .master) == .clientApproved(decision))
    #expect(throws: SealFault.broken) {
      try sealer.open(.clientDisApproved(sealed), from: .master)
    }
  }

  @Test func `an old key opens no body any more`() throws {
    let ends = Self.ends(GroupKey(newGeneration: 1))
    let sealed = try ends.member.seal(Self.bodies[0], from: Self.owner)
    _ = ends.master.use(GroupKey(newGeneration: 2))
    #expect(throws: SealFault.generation(1)) { try ends.master.open(sealed, from: Self.owner) }
  }

  @Test func `without a key nothing is sealed or opened`() {
    #expect(throws: SealFault.noKey) { try Sealer().seal(Self.bodies[0], from: .master) }
    #expect(throws: SealFault.noKey) { try Sealer().open(Self.bodies[0], from: .master) }
  }

  @Test(arguments: [
    [], [1], [1, 0, 0, 0], [1, 0, 0, 0, 1, 2, 3], [UInt8](repeating: 1, count: 31),
  ])
  func `bytes that are no sealed body are refused`(body: [UInt8]) {
    let sealer = Self.sealer(GroupKey(newGeneration: 1))
    #expect(throws: SealFault.self) {
      try sealer.open(Self.bodies[0].replacingBody(body), from: .master)
    }
  }

  @Test func `messages without a body pass as they are`() throws {
    let sealer = Sealer()
    #expect(try sealer.seal(.leave, from: .master) == .leave)
    #expect(try sealer.open(.online([Self.owner]), from: .master) == .online([Self.owner]))
  }
}
