import Protocol
import Sealing
import Testing

/// What goes by a line, sealed for its other end alone.
struct LineSealTests {
  private let secret = (0..<32).map { UInt8($0) }
  private let key = LeafKey(
    owner: PublicID(1), entry: RandomID(high: 1, low: 1), version: RandomID(high: 1, low: 2),
    scale: Limits.leafScale, generation: 3, index: 5)

  private var ends: (LineSeal, LineSeal) {
    (LineSeal(secret: secret, dialled: true), LineSeal(secret: secret, dialled: false))
  }

  private func leaf(_ seal: LineSeal, _ bytes: [UInt8]) throws -> (frame: [UInt8], mark: LeafMark) {
    try #require(
      seal.frame(key, length: bytes.count) {
        $0.copyBytes(from: bytes)
        return bytes.count
      })
  }

  @Test func `leaves and messages open at the other end, each once`() throws {
    let (one, other) = ends
    let bytes = (0..<5_000).map { UInt8(truncatingIfNeeded: $0) }
    let leaf = try leaf(one, bytes)
    #expect(try BulkFrame.key(of: leaf.frame) == key)
    #expect(try !DirectFrame.isMessage(leaf.frame))
    #expect(other.open(leaf.frame, isMessage: false) == bytes)
    #expect(other.open(leaf.frame, isMessage: false) == nil)
    let message = other.frame(message: [1, 2])
    #expect(try DirectFrame.isMessage(message))
    #expect(one.open(message, isMessage: true) == [1, 2])
    #expect(one.open(message, isMessage: true) == nil)
    #expect(leaf.mark.isOf(bytes, Sealer()))
    #expect(!leaf.mark.isOf(bytes.map { $0 ^ 1 }, Sealer()))
  }

  @Test func `nothing opens that is changed, sent back, or of another line`() throws {
    let (one, other) = ends
    let frame = try leaf(one, [UInt8](repeating: 7, count: 400)).frame
    for place in [8, 12, 16, 48, 56, 67, 68, 100, frame.count - 1] {
      var changed = frame
      changed[place] ^= 1
      #expect(other.open(changed, isMessage: false) == nil, "\(place)")
    }
    #expect(one.open(frame, isMessage: false) == nil)
    let stranger = LineSeal(secret: secret.reversed(), dialled: false)
    #expect(stranger.open(frame, isMessage: false) == nil)
    #expect(other.open(Array(frame.dropLast()), isMessage: false) == nil)
    #expect(other.open(frame, isMessage: false)?.count == 400)
  }

  @Test func `a little out of order is taken, far behind is not`() {
    let (one, other) = ends
    let frames = (0..<200).map { one.frame(message: [UInt8($0)]) }
    #expect(other.open(frames[3], isMessage: true) == [3])
    #expect(other.open(frames[1], isMessage: true) == [1])
    #expect(other.open(frames[150], isMessage: true) == [150])
    #expect(other.open(frames[87], isMessage: true) == [87])
    #expect(other.open(frames[86], isMessage: true) == nil)
    #expect(other.open(frames[87], isMessage: true) == nil)
  }

  @Test func `addresses open for the group, as whose they are`() throws {
    let (one, other) = (Sealer(), Sealer())
    let group = GroupKey(newGeneration: 4)
    #expect(one.use(group) && other.use(group))
    let addresses = MemberAddresses(port: 7_421, hosts: ["192.0.2.1", "2001:db8::1"])
    let sealed = try one.seal(addresses, of: PublicID(3))
    #expect(other.openAddresses(sealed, of: PublicID(3)) == addresses)
    #expect(other.openAddresses(sealed, of: PublicID(4)) == nil)
    #expect(other.openAddresses([], of: PublicID(3)) == nil)
    #expect(other.use(GroupKey(newGeneration: 5)))
    #expect(other.openAddresses(sealed, of: PublicID(3)) == nil)
    #expect(throws: DecodingFault.self) { try MemberAddresses(decoding: [0, 0, 0]) }
    #expect(throws: DecodingFault.self) { try MemberAddresses(decoding: [1, 0, 17]) }
  }
}
