import Core
import Protocol
import Testing

/// Which leaves are worth opening.
struct WantedLeavesTests {
  @Test func `a leaf is wanted from its request to its arrival, under the key of the request`() {
    var fetcher = ChunkFetcher()
    let content = Content(
      owner: alice, entry: id(1), version: id(2), size: 10 * UInt64(Limits.leaf))
    func key(_ index: UInt64, _ generation: UInt32) -> LeafKey {
      LeafKey(
        owner: alice, entry: id(1), version: id(2), scale: Limits.leafScale,
        generation: generation, index: index)
    }
    var actions: [FetchAction] = []
    fetcher.rekeyed(2)
    fetcher.linkReady(now: .zero, into: &actions)
    fetcher.open(1, content)
    #expect(!fetcher.wants(key(7, 2)))
    fetcher.read(
      1, stream: 1, offset: 7 * UInt64(Limits.leaf), length: Limits.leaf, now: .zero,
      into: &actions)
    #expect(fetcher.wants(key(7, 2)))
    #expect(!fetcher.wants(key(7, 1)) && !fetcher.wants(key(7, 3)))
    // What was asked for under the old key is still taken.
    fetcher.rekeyed(3)
    #expect(fetcher.wants(key(7, 2)) && !fetcher.wants(key(7, 3)))
    let leaf = [UInt8](repeating: 0, count: Limits.leaf)
    fetcher.arrived(key(7, 2), leaf, now: .zero, into: &actions)
    #expect(!fetcher.wants(key(7, 2)))
  }
}
