import Core
import Protocol
import Testing

/// Leaves are looked for on disk before anybody is asked.
struct FetchRecallingTests {
  private struct Bench {
    var fetcher: ChunkFetcher
    let content = Content(
      owner: alice, entry: id(1), version: id(2), size: 1_000 * UInt64(Limits.leaf))
    var now: Instant = .zero

    init() {
      var settings = ChunkFetcher.Settings()
      settings.recalls = true
      fetcher = ChunkFetcher(settings: settings)
      fetcher.open(1, content)
      act { $0.linkReady(now: $1, into: &$2) }
    }

    @discardableResult
    mutating func act(
      _ body: (inout ChunkFetcher, Instant, inout [FetchAction]) -> Void
    ) -> [FetchAction] {
      var actions: [FetchAction] = []
      body(&fetcher, now, &actions)
      return actions
    }

    @discardableResult
    mutating func read(_ token: ReadToken, _ leaf: UInt64, count: Int = 1) -> [FetchAction] {
      act {
        $0.read(
          token, stream: 1, offset: leaf * UInt64(Limits.leaf), length: count * Limits.leaf,
          now: $1, into: &$2)
      }
    }

    func key(_ index: UInt64, generation: UInt32 = 0) -> LeafKey {
      LeafKey(
        owner: alice, entry: id(1), version: id(2), scale: Limits.leafScale,
        generation: generation, index: index)
    }

    mutating func recalled(_ index: UInt64, bytes: Int = Limits.leaf) -> [FetchAction] {
      let key = key(index)
      return act {
        $0.recalled(
          key, [UInt8](repeating: 1, count: bytes), now: $1, into: &$2)
      }
    }

    mutating func notRecalled(_ indices: UInt64...) -> [FetchAction] {
      let keys = indices.map { key($0) }
      return act { $0.notRecalled(keys, now: $1, into: &$2) }
    }
  }

  private static let far: UInt64 = 700

  private func asked(_ actions: [FetchAction]) -> [UInt64] {
    actions.flatMap { action -> [UInt64] in
      guard case .request(let request) = action else { return [] }
      return (0..<request.count).map { request.first + UInt64($0) }
    }
  }

  private func answers(_ actions: [FetchAction]) -> [ReadToken] {
    actions.compactMap { if case .reply(let token, _) = $0 { token } else { nil } }
  }

  @Test func `what is on disk is not asked for, what is not is`() {
    var bench = Bench()
    #expect(
      bench.read(1, Self.far, count: 2) == [
        .recall([bench.key(Self.far), bench.key(Self.far + 1)])
      ]
    )
    // A second reader waits for the same look.
    #expect(bench.read(2, Self.far).isEmpty)
    #expect(answers(bench.recalled(Self.far)) == [2])
    #expect(asked(bench.notRecalled(Self.far + 1)) == [Self.far + 1])
    // It counts as nothing that came from the owner.
    #expect(bench.fetcher.figures(of: bench.content, now: .zero).bytes == nil)
    #expect(bench.notRecalled(Self.far + 1).isEmpty)
  }

  @Test func `what is fetched ahead is looked for too`() {
    var bench = Bench()
    let actions = bench.read(1, 0)
    #expect(asked(actions).isEmpty)
    let sought = actions.flatMap { if case .recall(let keys) = $0 { keys } else { [LeafKey]() } }
    #expect(sought.count > 1 && sought.first == bench.key(0))
  }

  @Test func `files of lost owners, and paused ones, are read from disk`() {
    var bench = Bench()
    bench.act { $0.presenceChanged(alice, .away, now: $1, into: &$2) }
    #expect(bench.read(1, Self.far) == [.recall([bench.key(Self.far)])])
    #expect(answers(bench.recalled(Self.far)) == [1])
    bench.act { $0.pause([EntryKey(alice, id(1))], now: $1, into: &$2) }
    bench.read(2, Self.far + 1)
    #expect(answers(bench.recalled(Self.far + 1)) == [2])
    // What is not there waits.
    bench.read(3, Self.far + 2)
    #expect(bench.notRecalled(Self.far + 2).isEmpty)
    bench.act { $0.pause([], now: $1, into: &$2) }
    let back = bench.act { $0.presenceChanged(alice, .online, now: $1, into: &$2) }
    #expect(asked(back) == [Self.far + 2])
  }

  @Test func `a disk that does not answer slows a read down by no more than two seconds`() {
    var bench = Bench()
    bench.read(1, Self.far)
    bench.now = .milliseconds(900)
    #expect(asked(bench.act { $0.tick(now: $1, into: &$2) }).isEmpty)
    bench.now = .seconds(2)
    #expect(bench.fetcher.nextDeadline.map { $0 <= bench.now } == true)
    #expect(asked(bench.act { $0.tick(now: $1, into: &$2) }) == [Self.far])
    // Whatever comes first answers.
    #expect(answers(bench.recalled(Self.far)) == [1])
  }

  @Test func `a leaf of the wrong length on disk is asked for`() {
    var bench = Bench()
    bench.read(1, Self.far)
    let actions = bench.recalled(Self.far, bytes: 5)
    #expect(asked(actions) == [Self.far] && answers(actions).isEmpty)
  }

  @Test func `what comes from disk for nobody, or for one who is out, is dropped`() {
    var bench = Bench()
    #expect(bench.recalled(Self.far).isEmpty)
    bench.read(1, Self.far)
    let out = bench.act { $0.ownerDecided(alice, isIn: false, into: &$2) }
    #expect(out == [.fail(1, .denied)])
    #expect(bench.recalled(Self.far).isEmpty)
    #expect(bench.fetcher.cachedBytes == 0)
    #expect(bench.read(2, Self.far) == [.fail(2, .denied)])
  }
}
