import System
import Testing

/// A keyed hash is the published one.
struct SipHashTests {
  /// Of the paper's appendix, and of the reference implementation (`vectors.h`): key 00 01 02 … 0f,
  /// input 00 01 02 ….
  @Test(
    arguments: [
      (0, 0x726f_db47_dd0e_0e31), (1, 0x74f8_39c5_93dc_67fd), (7, 0xab02_00f5_8b01_d137),
      (8, 0x93f5_f579_9a93_2462), (15, 0xa129_ca61_49be_45e5),
    ] as [(Int, UInt64)])
  func `the published vectors come out`(length: Int, expected: UInt64) throws {
    let hash = try #require(SipHash(key: (0..<16).map { UInt8($0) }))
    #expect(hash.of((0..<length).map { UInt8($0) }) == expected)
  }

  @Test func `a key has its length`() {
    #expect(SipHash(key: [UInt8](repeating: 0, count: 15)) == nil)
  }
}
