import Core
import Protocol
import Testing

/// Reads of others' files: each gets one answer, and nothing is fetched twice.
struct ChunkFetcherTests {
  private struct Bench {
    var fetcher: ChunkFetcher
    let content: Content

    init(leaves: UInt64 = 1_000, budget: Int = 256 << 20, heldLimit: Int = 128) {
      var settings = ChunkFetcher.Settings()
      settings.budget = budget
      settings.heldLimit = heldLimit
      fetcher = ChunkFetcher(settings: settings)
      content = Content(
        owner: alice, entry: id(1), version: id(2), size: leaves * UInt64(Limits.leaf) - 100)
      fetcher.open(1, content)
      var actions: [FetchAction] = []
      fetcher.linkReady(now: .zero, into: &actions)
    }

    @discardableResult
    mutating func act(
      _ body: (inout ChunkFetcher, inout [FetchAction]) -> Void
    ) -> [FetchAction] {
      var actions: [FetchAction] = []
      body(&fetcher, &actions)
      return actions
    }

    @discardableResult
    mutating func read(
      _ token: ReadToken, _ leaf: UInt64, count: Int = 1, stream: StreamID = 1,
      at now: Instant = .zero
    ) -> [FetchAction] {
      act {
        $0.read(
          token, stream: stream, offset: leaf * UInt64(Limits.leaf), length: count * Limits.leaf,
          now: now, into: &$1)
      }
    }

    func key(_ index: UInt64) -> LeafKey {
      LeafKey(
        owner: alice, entry: id(1), version: id(2), scale: Limits.leafScale, generation: 0,
        index: index)
    }

    @discardableResult
    mutating func arrive(_ index: UInt64, bytes: Int = Limits.leaf) -> [FetchAction] {
      let key = key(index)
      return act {
        $0.arrived(
          key, [UInt8](repeating: 1, count: bytes), now: .zero, into: &$1)
      }
    }

    mutating func fail(
      _ index: UInt64, _ reason: ChunkFailureReason, retryAfter: UInt32 = 0
    ) -> [FetchAction] {
      let failure = ChunkFailure(key(index), reason: reason, retryAfter: retryAfter)
      return act { $0.failed(failure, now: .zero, into: &$1) }
    }
  }

  /// Leaves that are asked for, in order.
  private func asked(_ actions: [FetchAction]) -> [UInt64] {
    actions.flatMap { action -> [UInt64] in
      guard case .request(let request) = action else { return [] }
      return (0..<request.count).map { request.first + UInt64($0) }
    }
  }

  private func answers(_ actions: [FetchAction]) -> [ReadToken] {
    actions.compactMap { if case .reply(let token, _) = $0 { token } else { nil } }
  }

  private func failures(_ actions: [FetchAction]) -> [ReadToken: ReadFailure] {
    var failures: [ReadToken: ReadFailure] = [:]
    for case .fail(let token, let reason) in actions { failures[token] = reason }
    return failures
  }

  /// A read far behind the beginning is no stream yet, so nothing is fetched ahead of it.
  private static let far: UInt64 = 700

  @Test func `two reads of one leaf ask once and are both answered`() {
    var bench = Bench()
    #expect(asked(bench.read(1, Self.far)) == [Self.far])
    #expect(!asked(bench.read(2, Self.far)).contains(Self.far))
    #expect(answers(bench.arrive(Self.far)) == [1, 2])
  }

  @Test func `a leaf in memory is answered at once`() {
    var bench = Bench()
    bench.read(1, Self.far)
    bench.arrive(Self.far)
    #expect(answers(bench.read(2, Self.far)) == [2])
  }

  @Test func `a read behind the end is answered with nothing`() {
    var bench = Bench()
    #expect(bench.read(1, 1_000) == [.reply(1, [])])
  }

  @Test func `a read over the end is cut there`() {
    var bench = Bench(leaves: 2)
    bench.read(1, 1, count: 4)
    guard case .reply(1, let slices)? = bench.arrive(1, bytes: Limits.leaf - 100).last else {
      return #expect(Bool(false))
    }
    #expect(slices.map(\.count) == [Limits.leaf - 100])
  }

  @Test func `a read across leaves is answered once all are there`() {
    var bench = Bench()
    bench.read(1, Self.far, count: 2)
    #expect(answers(bench.arrive(Self.far + 1)).isEmpty)
    #expect(answers(bench.arrive(Self.far)) == [1])
  }

  @Test func `a read fails at its deadline`() {
    var bench = Bench()
    bench.read(1, Self.far)
    #expect(bench.fetcher.nextDeadline.map { $0 <= .seconds(30) } == true)
    let early = bench.act { $0.tick(now: .milliseconds(29_999), into: &$1) }
    #expect(failures(early).isEmpty)
    #expect(failures(bench.act { $0.tick(now: .seconds(30), into: &$1) }) == [1: .timedOut])
    #expect(answers(bench.arrive(Self.far)).isEmpty)
  }

  @Test func `the kernel's second try behind a deadline fails at once, unless the leaf is there`() {
    var bench = Bench()
    bench.read(8, Self.far + 9)
    bench.arrive(Self.far + 9)
    bench.read(1, Self.far)
    bench.act { $0.tick(now: .seconds(30), into: &$1) }
    let again = bench.read(2, Self.far, at: .milliseconds(30_100))
    #expect(failures(again) == [2: .timedOut])
    #expect(answers(bench.read(3, Self.far + 9, at: .milliseconds(30_200))) == [3])
    #expect(asked(bench.read(4, 0, at: .seconds(31))).first == 0)
  }

  @Test func `a cancelled read is not answered`() {
    var bench = Bench()
    bench.read(1, Self.far)
    let wasWaiting = bench.fetcher.cancel(1)
    let isWaiting = bench.fetcher.cancel(1)
    #expect(wasWaiting && !isWaiting)
    #expect(answers(bench.arrive(Self.far)).isEmpty)
    #expect(answers(bench.read(2, Self.far)) == [2])
  }

  @Test func `a busy owner is asked again after the time it gave`() {
    var bench = Bench()
    bench.read(1, Self.far)
    #expect(bench.fail(Self.far, .busy, retryAfter: 500).isEmpty)
    #expect(asked(bench.act { $0.tick(now: .milliseconds(499), into: &$1) }).isEmpty)
    #expect(asked(bench.act { $0.tick(now: .milliseconds(500), into: &$1) }) == [Self.far])
  }

  @Test func `a leaf that takes too long is asked for again`() {
    var bench = Bench()
    bench.read(1, Self.far)
    #expect(asked(bench.act { $0.tick(now: .seconds(8), into: &$1) }) == [Self.far])
  }

  @Test func `a read of an away owner waits and goes on when it is back`() {
    var bench = Bench()
    bench.act { $0.presenceChanged(alice, .away, now: .zero, into: &$1) }
    #expect(bench.read(1, Self.far).isEmpty)
    let back = bench.act { $0.presenceChanged(alice, .online, now: .zero, into: &$1) }
    #expect(asked(back) == [Self.far])
  }

  @Test func `what was asked for before the owner was lost is asked for again`() {
    var bench = Bench()
    bench.read(1, Self.far)
    bench.act { $0.presenceChanged(alice, .away, now: .zero, into: &$1) }
    let back = bench.act { $0.presenceChanged(alice, .online, now: .zero, into: &$1) }
    #expect(asked(back) == [Self.far])
  }

  @Test func `what was asked for before the link was lost is asked for again`() {
    var bench = Bench()
    bench.read(1, Self.far)
    bench.fetcher.linkLost()
    #expect(asked(bench.act { $0.linkReady(now: .zero, into: &$1) }) == [Self.far])
  }

  @Test func `a read of an owner that is gone fails at once`() {
    var bench = Bench()
    bench.read(1, Self.far)
    let gone = bench.act { $0.presenceChanged(alice, .gone, now: .zero, into: &$1) }
    #expect(failures(gone) == [1: .gone])
    #expect(failures(bench.read(2, Self.far)) == [2: .gone])
  }

  @Test(arguments: [
    (ChunkFailureReason.gone, ReadFailure.gone), (.changed, .changed), (.denied, .denied),
    (.unreadable, .unreadable),
  ])
  func `a failure that no asking mends fails the read`(
    reason: ChunkFailureReason, failure: ReadFailure
  ) {
    var bench = Bench()
    bench.read(1, Self.far)
    #expect(failures(bench.fail(Self.far, reason)) == [1: failure])
    #expect(bench.fetcher.flightCount == 0)
  }

  @Test func `a leaf that does not open is fetched once more past the cache`() {
    var bench = Bench()
    bench.read(1, Self.far)
    let key = bench.key(Self.far)
    let again = bench.act { $0.couldNotOpen(key, now: .zero, into: &$1) }
    #expect(again == [.request(ChunkRequest(key, pastCache: true))])
    let last = bench.act { $0.couldNotOpen(key, now: .zero, into: &$1) }
    #expect(failures(last) == [1: .unreadable])
  }

  @Test func `a second try stays past the cache though the link was lost meanwhile`() {
    var bench = Bench()
    bench.read(1, Self.far)
    let key = bench.key(Self.far)
    bench.act { $0.couldNotOpen(key, now: .zero, into: &$1) }
    bench.fetcher.linkLost()
    let again = bench.act { $0.linkReady(now: .zero, into: &$1) }
    #expect(again == [.request(ChunkRequest(key, pastCache: true))])
  }

  @Test func `a leaf of a wrong length reaches no program and no cache`() {
    var bench = Bench()
    bench.read(1, Self.far)
    #expect(failures(bench.arrive(Self.far, bytes: 5)) == [1: .unreadable])
    #expect(bench.fetcher.cachedBytes == 0)
  }

  @Test func `no more reads wait for a lost owner than may`() {
    var bench = Bench(heldLimit: 2)
    bench.fetcher.linkLost()
    bench.read(1, Self.far)
    bench.read(2, Self.far)
    #expect(failures(bench.read(3, Self.far)) == [3: .tooManyHeld])
  }

  @Test func `what nobody waits for any more is not asked for`() {
    var bench = Bench()
    bench.fetcher.linkLost()
    bench.read(1, Self.far)
    _ = bench.fetcher.cancel(1)
    #expect(bench.fetcher.flightCount == 0)
    #expect(bench.act { $0.linkReady(now: .zero, into: &$1) }.isEmpty)
  }

  @Test func `a disapproved member's reads fail and nothing stays in memory`() {
    var bench = Bench()
    bench.read(1, Self.far)
    bench.arrive(Self.far)
    bench.read(2, Self.far + 9)
    let denied = bench.act { $0.disapproved(into: &$1) }
    #expect(failures(denied) == [2: .denied])
    #expect(bench.fetcher.cachedBytes == 0)
    #expect(failures(bench.read(3, Self.far)) == [3: .denied])
  }

  @Test func `who reads here and there is not fetched ahead of`() {
    var bench = Bench(leaves: 10_000)
    bench.read(1, 5_000)
    for (offset, leaf) in [9_000, 1_000, 7_000, 3_000].enumerated() {
      #expect(asked(bench.read(ReadToken(offset + 2), UInt64(leaf))).count == 1)
    }
  }

  @Test func `a stream that is not open gives no bytes`() {
    var bench = Bench()
    #expect(failures(bench.read(1, 0, stream: 9)) == [1: .changed])
  }
}
