import Protocol
import Sealing
import Testing

/// What lies in a disk cache opens only where it was put, by who put it there.
struct CacheSealTests {
  private static let plain = (0..<70_000).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }
  private static let secret = [UInt8](repeating: 7, count: CacheSeal.secretLength)

  private static func leaf(
    owner: UInt32 = 3, entry: UInt64 = 1, version: UInt64 = 2, generation: UInt32 = 0,
    index: UInt64 = 5
  ) -> LeafKey {
    LeafKey(
      owner: PublicID(owner), entry: RandomID(high: 0, low: entry),
      version: RandomID(high: 0, low: version), scale: Limits.leafScale, generation: generation,
      index: index)
  }

  @Test func `a leaf opens as it was sealed, whatever key it came under`() throws {
    let seal = try #require(CacheSeal(secret: Self.secret))
    let sealed = seal.seal(Self.plain, Self.leaf(generation: 4))
    #expect(sealed.count == Self.plain.count + CacheSeal.overhead)
    #expect(seal.open(sealed, Self.leaf(generation: 9)) == Self.plain)
    #expect(seal.seal(Self.plain, Self.leaf()) != sealed)
    #expect(CacheSeal(secret: [1, 2, 3]) == nil)
  }

  @Test(
    arguments: [leaf(owner: 4), leaf(entry: 2), leaf(version: 3), leaf(index: 6)])
  func `a leaf does not open as another one`(other: LeafKey) throws {
    let seal = try #require(CacheSeal(secret: Self.secret))
    #expect(seal.open(seal.seal(Self.plain, Self.leaf()), other) == nil)
  }

  @Test func `what was changed, cut or sealed by somebody else does not open`() throws {
    let seal = try #require(CacheSeal(secret: Self.secret))
    let whole = seal.seal(Self.plain, Self.leaf())
    for place in [0, 11, 12, 40_000, whole.count - 17, whole.count - 1] {
      var changed = whole
      changed[place] ^= 1
      #expect(seal.open(changed, Self.leaf()) == nil)
    }
    for length in [0, 1, CacheSeal.overhead, whole.count - 1] {
      #expect(seal.open(Array(whole.prefix(length)), Self.leaf()) == nil)
    }
    var other = Self.secret
    other[31] ^= 1
    #expect(try #require(CacheSeal(secret: other)).open(whole, Self.leaf()) == nil)
  }
}
