import Mount
import Protocol
import Sealing
import Testing

/// By what is known whether the bytes that were sent of a file are still in it.
struct SentLeavesTests {
  private let sealer = Sealer()

  init() { #expect(sealer.use(GroupKey(newGeneration: 1))) }

  private func key(_ file: UInt64, _ index: UInt64) -> LeafKey {
    LeafKey(
      owner: PublicID(1), entry: RandomID(high: 1, low: file),
      version: RandomID(high: 2, low: file),
      scale: Limits.leafScale, generation: 1, index: index)
  }

  private func mark(_ key: LeafKey, _ plain: [UInt8]) throws -> LeafMark {
    let frame = try sealer.frame(key, length: plain.count) { buffer in
      buffer.copyBytes(from: plain)
      return plain.count
    }
    return LeafMark(of: try #require(frame), key: key)
  }

  @Test func `the same bytes are known again, and no others`() throws {
    let plain = (0..<70_000).map { UInt8(truncatingIfNeeded: $0 * 7) }
    let mark = try mark(key(1, 5), plain)
    #expect(mark.length == plain.count)
    #expect(mark.isOf(plain, sealer))
    var other = plain
    other[69_999] ^= 1
    #expect(!mark.isOf(other, sealer))
    #expect(!mark.isOf(plain + [0], sealer))
    #expect(!mark.isOf(Array(plain.dropLast()), sealer))
    // The key of that time is gone.
    #expect(!mark.isOf(plain, Sealer()))
  }

  @Test func `what was sent is remembered by file, the latest of each leaf`() throws {
    var sent = SentLeaves()
    #expect(sent.marks(of: key(1, 0).entry) == [])
    sent.note(try mark(key(1, 1), [1]))
    sent.note(try mark(key(1, 0), [2]))
    let again = try mark(key(1, 1), [3])
    sent.note(again)
    sent.note(try mark(key(2, 0), [4]))
    #expect(sent.marks(of: key(1, 0).entry)?.map(\.key.index) == [0, 1])
    #expect(sent.marks(of: key(1, 0).entry)?.last == again)
    sent.begin(key(1, 0).entry)
    #expect(sent.marks(of: key(1, 0).entry) == [])
    #expect(sent.marks(of: key(2, 0).entry)?.count == 1)
  }

  @Test func `of what is forgotten nobody can tell, until it begins anew`() throws {
    var sent = SentLeaves()
    // Too much was sent: the file that was sent first is forgotten.
    sent.note(try mark(key(1, 0), [1]))
    for index in 0..<UInt64(SentLeaves.limit) { sent.note(try mark(key(2, index), [1])) }
    #expect(sent.marks(of: key(1, 0).entry) == nil)
    #expect(sent.marks(of: key(2, 0).entry)?.count == SentLeaves.limit)
    sent.note(try mark(key(2, UInt64(SentLeaves.limit)), [1]))
    #expect(sent.marks(of: key(2, 0).entry) == nil)
    sent.note(try mark(key(1, 0), [1]))
    #expect(sent.marks(of: key(1, 0).entry) == nil)
    sent.begin(key(1, 0).entry)
    #expect(sent.marks(of: key(1, 0).entry) == [])
  }

  @Test func `files that are dropped leave nothing behind`() throws {
    var sent = SentLeaves()
    for file in 1...5_000 as ClosedRange<UInt64> {
      sent.note(try mark(key(file, 0), [1]))
      sent.begin(key(file, 0).entry)
    }
    sent.note(try mark(key(1, 0), [1]))
    #expect(sent.marks(of: key(1, 0).entry)?.count == 1)
    #expect(sent.marks(of: key(2, 0).entry) == [])
  }
}
