import Protocol
import Testing

struct BulkFrameTests {
  private func frame(_ key: LeafKey, payload: Int) -> [UInt8] {
    BulkFrame.header(key, payload: payload) + [UInt8](repeating: 7, count: payload)
  }

  @Test(arguments: 0..<100 as Range<UInt64>)
  func `the key of a frame comes back as it was`(seed: UInt64) throws {
    var generator = TestGenerator(seed: seed)
    let key = generator.request().key(0)
    let bytes = frame(key, payload: generator.below((1 << Int(key.scale)) + 1))
    #expect(try BulkFrame.key(of: bytes) == key)
    #expect(bytes.count <= BulkFrame.lengthField + Limits.bulkFrame)
  }

  @Test func `a frame whose length is not its own is refused`() {
    var generator = TestGenerator(seed: 1)
    let bytes = frame(generator.request().key(0), payload: 10)
    #expect(throws: DecodingFault.invalid("frame length")) { try BulkFrame.key(of: bytes + [0]) }
    #expect(throws: DecodingFault.invalid("frame length")) {
      try BulkFrame.key(of: Array(bytes.dropLast()))
    }
  }

  @Test func `a frame that ends in its header is refused`() {
    var generator = TestGenerator(seed: 2)
    let bytes = frame(generator.request().key(0), payload: 0)
    for count in 0..<bytes.count {
      #expect(throws: DecodingFault.self) { try BulkFrame.key(of: Array(bytes.prefix(count))) }
    }
  }

  @Test func `a leaf beyond its scale and seal is refused`() {
    let key = LeafKey(
      owner: PublicID(1), entry: .zero, version: .zero, scale: Limits.smallestScale,
      generation: 0, index: 0)
    let most = (1 << Int(Limits.smallestScale)) + Limits.sealOverhead
    #expect(throws: Never.self) { try BulkFrame.key(of: frame(key, payload: most)) }
    #expect(throws: DecodingFault.tooLong("a leaf")) {
      try BulkFrame.key(of: frame(key, payload: most + 1))
    }
  }

  @Test(arguments: [UInt8(0), 11, 18, 255])
  func `a scale out of bounds is refused`(scale: UInt8) {
    let key = LeafKey(
      owner: PublicID(1), entry: .zero, version: .zero, scale: scale, generation: 0, index: 0)
    #expect(throws: DecodingFault.invalid("piece size")) {
      try BulkFrame.key(of: frame(key, payload: 1))
    }
  }
}
