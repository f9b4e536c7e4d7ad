import Core
import Protocol
import Testing

/// A file that has only grown: what was read of it stays, and who has it open reads on.
struct FileGrowthTests {
  private static let leaf = UInt64(Limits.leaf)

  private struct Bench {
    var fetcher = ChunkFetcher()
    let old = Content(owner: alice, entry: id(1), version: id(2), size: 10 * leaf + 100)
    let new = Content(owner: alice, entry: id(1), version: id(3), size: 10 * leaf + 900)

    init() {
      fetcher.open(1, old)
      act { $0.linkReady(now: .zero, into: &$1) }
    }

    @discardableResult
    mutating func act(
      _ body: (inout ChunkFetcher, inout [FetchAction]) -> Void
    ) -> [FetchAction] {
      var actions: [FetchAction] = []
      body(&fetcher, &actions)
      return actions
    }

    mutating func grow() -> [FetchAction] {
      let (old, new) = (old, new)
      return act { $0.grew(old, into: new, now: .zero, &$1) }
    }

    mutating func read(_ token: ReadToken, _ offset: UInt64, _ length: Int) -> [FetchAction] {
      act {
        $0.read(token, stream: 1, offset: offset, length: length, now: .zero, into: &$1)
      }
    }

    mutating func arrive(_ content: Content, _ index: UInt64) -> [FetchAction] {
      let key = LeafKey(
        owner: alice, entry: id(1), version: content.version, scale: Limits.leafScale,
        generation: 0, index: index)
      let count = Int(min(leaf, content.size - index * leaf))
      return act {
        $0.arrived(
          key, [UInt8](repeating: 1, count: count), now: .zero, into: &$1)
      }
    }
  }

  @Test func `somebody else's version of the same name does not grow into this file`() {
    for forged in [
      Content(owner: bob, entry: id(1), version: id(2), size: 10 * Self.leaf + 100),
      Content(owner: alice, entry: id(9), version: id(2), size: 10 * Self.leaf + 100),
    ] {
      var bench = Bench()
      _ = bench.read(1, 0, Int(Self.leaf))
      _ = bench.arrive(bench.old, 0)
      let theirs = Content(
        owner: forged.owner, entry: forged.entry, version: id(7), size: forged.size + 900)
      bench.act { $0.grew(forged, into: theirs, now: .zero, &$1) }
      // What was read stays where it was, and whoever reads on asks for the file that he opened.
      #expect(answer(bench.read(2, 0, Int(Self.leaf)), 2) == Int(Self.leaf))
      let actions = bench.read(3, 9 * Self.leaf, Int(Self.leaf))
      #expect(asked(actions, id(7)).isEmpty && asked(actions, id(2)).contains(9))
    }
  }

  /// Bytes of the answer to a token.
  private func answer(_ actions: [FetchAction], _ token: ReadToken) -> Int? {
    for case .reply(token, let slices) in actions { return slices.reduce(0) { $0 + $1.count } }
    return nil
  }

  private func asked(_ actions: [FetchAction], _ version: Version) -> [UInt64] {
    actions.flatMap { action -> [UInt64] in
      guard case .request(let request) = action, request.version == version else { return [] }
      return (0..<request.count).map { request.first + UInt64($0) }
    }
  }

  @Test func `whole leaves are kept, and the last one is asked for anew`() {
    var bench = Bench()
    _ = bench.read(1, 9 * Self.leaf, Limits.leaf + 100)
    _ = bench.arrive(bench.old, 9)
    #expect(answer(bench.arrive(bench.old, 10), 1) == Limits.leaf + 100)
    #expect(bench.grow().isEmpty)
    let actions = bench.read(2, 9 * Self.leaf, Limits.leaf + 5_000)
    #expect(asked(actions, bench.new.version).filter { $0 >= 9 } == [10])
    #expect(answer(bench.arrive(bench.new, 10), 2) == Limits.leaf + 900)
  }

  @Test func `what is on its way under the old version is kept too`() {
    var bench = Bench()
    _ = bench.read(1, 4 * Self.leaf, Limits.leaf)
    #expect(bench.grow().isEmpty)
    #expect(answer(bench.arrive(bench.old, 4), 1) == Limits.leaf)
    #expect(answer(bench.read(2, 4 * Self.leaf, Limits.leaf), 2) == Limits.leaf)
  }

  @Test func `who waits for the end gets what was added`() {
    var bench = Bench()
    _ = bench.read(1, 10 * Self.leaf, 4_096)
    #expect(asked(bench.grow(), bench.new.version) == [10])
    #expect(answer(bench.arrive(bench.old, 10), 1) == nil)
    #expect(answer(bench.arrive(bench.new, 10), 1) == 900)
  }

  /// An owner that lies gives one version two sizes, and grows from the smaller.
  @Test func `who waits behind the end of what a file has become is told that it changed`() {
    var bench = Bench()
    _ = bench.read(1, 10 * Self.leaf, 4_096)
    let small = Content(owner: alice, entry: id(1), version: id(2), size: 10)
    let grown = Content(owner: alice, entry: id(1), version: id(3), size: 20)
    let actions = bench.act { $0.grew(small, into: grown, now: .zero, &$1) }
    #expect(actions.contains(.fail(1, .changed)))
  }

  @Test func `a version that its owner no longer has is read on in what it became`() {
    var bench = Bench()
    _ = bench.read(1, 4 * Self.leaf, 2 * Limits.leaf)
    _ = bench.arrive(bench.old, 4)
    _ = bench.grow()
    let key = LeafKey(
      owner: alice, entry: id(1), version: bench.old.version, scale: Limits.leafScale,
      generation: 0, index: 5)
    let actions = bench.act {
      $0.failed(ChunkFailure(key, reason: .changed, retryAfter: 0), now: .zero, into: &$1)
    }
    #expect(asked(actions, bench.new.version) == [5])
    #expect(answer(bench.arrive(bench.new, 5), 1) == 2 * Limits.leaf)
  }

  @Test func `a file that is opened as it was reads what it became`() {
    var bench = Bench()
    _ = bench.grow()
    let old = bench.old
    bench.act { fetcher, _ in fetcher.open(2, old) }
    let actions = bench.act {
      $0.read(1, stream: 2, offset: 10 * Self.leaf, length: 4_096, now: .zero, into: &$1)
    }
    #expect(asked(actions, bench.new.version) == [10])
  }

  @Test func `several steps are one`() {
    var bench = Bench()
    _ = bench.read(1, 4 * Self.leaf, Limits.leaf)
    _ = bench.grow()
    let (new, last) = (
      bench.new, Content(owner: alice, entry: id(1), version: id(4), size: 11 * Self.leaf)
    )
    bench.act { $0.grew(new, into: last, now: .zero, &$1) }
    _ = bench.arrive(bench.old, 4)
    #expect(answer(bench.read(2, 4 * Self.leaf, Limits.leaf), 2) == Limits.leaf)
  }

  @Test func `what does not fit is no growth`() {
    var bench = Bench()
    let (old, new) = (bench.old, bench.new)
    bench.act { $0.grew(new, into: old, now: .zero, &$1) }
    #expect(asked(bench.read(1, 4 * Self.leaf, 4_096), old.version).contains(4))
  }
}
