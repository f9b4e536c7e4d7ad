import Protocol
import Sealing
import Testing

/// A kept list's records open at their place in their file, under their secret, and nowhere else.
struct ListSealTests {
  private let secret = [UInt8](repeating: 3, count: ListSeal.secretLength)
  private let record: [UInt8] = [1, 2, 3]

  private func seal(_ secret: [UInt8], _ file: UInt64) throws -> ListSeal {
    try #require(ListSeal(secret: secret, file: RandomID(high: 0, low: file)))
  }

  @Test func `a record opens as what it was`() throws {
    let seal = try seal(secret, 1)
    let sealed = seal.seal(record, at: 7)
    #expect(sealed.count == record.count + ListSeal.overhead)
    #expect(seal.open(sealed, at: 7) == record)
  }

  @Test func `a record that was moved, changed or is of another file does not open`() throws {
    let one = try seal(secret, 1)
    let sealed = one.seal(record, at: 7)
    #expect(one.open(sealed, at: 8) == nil)
    #expect(try seal(secret, 2).open(sealed, at: 7) == nil)
    #expect(try seal([UInt8](repeating: 4, count: secret.count), 1).open(sealed, at: 7) == nil)
    for index in sealed.indices {
      var changed = sealed
      changed[index] ^= 1
      #expect(one.open(changed, at: 7) == nil)
    }
    #expect(one.open([], at: 7) == nil)
  }

  @Test func `a secret has its length`() {
    #expect(ListSeal(secret: [1, 2], file: RandomID(high: 0, low: 1)) == nil)
  }
}
