import Core
import Protocol
import Testing

/// Reads of paused files wait without a deadline, nothing is fetched for them, and others go on.
struct FetchPausingTests {
  /// A fetcher with one file of Alice's (stream 1) and one of Bob's (stream 2) open.
  private struct Bench {
    var fetcher: ChunkFetcher
    let contents: [Content]
    var now: Instant = .zero

    init(heldLimit: Int = 128) {
      var settings = ChunkFetcher.Settings()
      settings.heldLimit = heldLimit
      fetcher = ChunkFetcher(settings: settings)
      contents = [(alice, 1), (bob, 2)].map { owner, number in
        Content(
          owner: owner, entry: id(number), version: id(10 + number),
          size: 1_000 * UInt64(Limits.leaf))
      }
      fetcher.open(1, contents[0])
      fetcher.open(2, contents[1])
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

    /// Pauses these streams' files, and no others.
    @discardableResult
    mutating func pause(_ streams: Int...) -> [FetchAction] {
      let entries = Set(streams.map { contents[$0 - 1].file })
      return act { $0.pause(entries, now: $1, into: &$2) }
    }

    @discardableResult
    mutating func read(_ token: ReadToken, _ leaf: UInt64, stream: StreamID = 1) -> [FetchAction] {
      act {
        $0.read(
          token, stream: stream, offset: leaf * UInt64(Limits.leaf), length: Limits.leaf, now: $1,
          into: &$2)
      }
    }

    mutating func arrive(_ leaf: UInt64, stream: Int = 1) -> [FetchAction] {
      let content = contents[stream - 1]
      let key = LeafKey(
        owner: content.owner, entry: content.entry, version: content.version,
        scale: Limits.leafScale, generation: 0, index: leaf)
      return act {
        $0.arrived(
          key, [UInt8](repeating: 1, count: Limits.leaf), now: $1,
          into: &$2)
      }
    }

    mutating func tick(at instant: Instant) -> [FetchAction] {
      now = instant
      return act { $0.tick(now: $1, into: &$2) }
    }
  }

  private func asked(_ actions: [FetchAction]) -> [UInt64] {
    actions.flatMap { action -> [UInt64] in
      guard case .request(let request) = action else { return [] }
      return (0..<request.count).map { request.first + UInt64($0) }
    }
  }

  private func answered(_ actions: [FetchAction]) -> [ReadToken] {
    actions.compactMap { if case .reply(let token, _) = $0 { token } else { nil } }
  }

  private func failures(_ actions: [FetchAction]) -> [ReadToken: ReadFailure] {
    var failures: [ReadToken: ReadFailure] = [:]
    for case .fail(let token, let reason) in actions { failures[token] = reason }
    return failures
  }

  /// Far behind the beginning, so that nothing is fetched ahead.
  private static let far: UInt64 = 700

  @Test func `nothing is fetched of a paused file until it goes on`() {
    var bench = Bench()
    bench.pause(1)
    #expect(bench.read(1, Self.far).isEmpty)
    #expect(bench.read(2, 0).isEmpty)
    #expect(asked(bench.tick(at: .seconds(20))).isEmpty)
    #expect(asked(bench.pause()).sorted() == [0, Self.far])
    #expect(answered(bench.arrive(Self.far)) == [1])
  }

  @Test func `other files go on`() {
    var bench = Bench()
    bench.pause(1)
    bench.read(1, Self.far)
    #expect(asked(bench.read(2, Self.far, stream: 2)) == [Self.far])
    #expect(answered(bench.arrive(Self.far, stream: 2)) == [2])
  }

  @Test func `what was fetched before is served`() {
    var bench = Bench()
    bench.read(1, Self.far)
    #expect(answered(bench.arrive(Self.far)) == [1])
    bench.pause(1)
    #expect(answered(bench.read(2, Self.far)) == [2])
  }

  @Test func `what was on its way is taken, and asked for again only once it goes on`() {
    var bench = Bench()
    bench.read(1, Self.far)
    bench.read(2, Self.far + 50)
    bench.pause(1)
    #expect(answered(bench.arrive(Self.far)) == [1])
    #expect(asked(bench.tick(at: .seconds(8))).isEmpty)
    #expect(asked(bench.pause()) == [Self.far + 50])
  }

  @Test func `a busy owner is not asked again while the file is paused`() {
    var bench = Bench()
    bench.read(1, Self.far)
    bench.pause(1)
    let key = LeafKey(
      owner: alice, entry: id(1), version: id(11), scale: Limits.leafScale, generation: 0,
      index: Self.far)
    bench.act {
      $0.failed(ChunkFailure(key, reason: .busy, retryAfter: 100), now: $1, into: &$2)
    }
    #expect(asked(bench.tick(at: .seconds(1))).isEmpty)
    #expect(asked(bench.pause()) == [Self.far])
  }

  @Test func `a pause has no deadline, and leaves the read the time that it had`() {
    var bench = Bench()
    bench.read(1, Self.far)
    bench.now = .seconds(10)
    bench.pause(1)
    #expect(failures(bench.tick(at: .seconds(1_000))).isEmpty)
    bench.pause()
    #expect(failures(bench.tick(at: .seconds(1_019))).isEmpty)
    #expect(failures(bench.tick(at: .seconds(1_020))) == [1: .timedOut])
  }

  @Test func `deadlines keep their order across pauses`() {
    var bench = Bench()
    bench.read(1, Self.far)
    bench.read(2, Self.far, stream: 2)
    bench.pause(1)
    bench.now = .seconds(5)
    bench.read(3, Self.far + 9, stream: 2)
    bench.pause()
    bench.now = .seconds(6)
    bench.read(4, Self.far + 99, stream: 2)
    #expect(failures(bench.tick(at: .seconds(30))) == [2: .timedOut])
    #expect(failures(bench.tick(at: .seconds(35))) == [1: .timedOut, 3: .timedOut])
    #expect(failures(bench.tick(at: .seconds(36))) == [4: .timedOut])
  }

  @Test func `no more paused reads are held than may be, and others still wait`() {
    var bench = Bench(heldLimit: 2)
    bench.pause(1)
    bench.read(1, Self.far)
    bench.read(2, Self.far + 50)
    #expect(failures(bench.read(3, Self.far + 99)) == [3: .tooManyHeld])
    #expect(failures(bench.read(4, Self.far, stream: 2)).isEmpty)
    #expect(answered(bench.arrive(Self.far, stream: 2)) == [4])
  }

  @Test func `reads that only wait for the network do not count as held`() {
    var bench = Bench(heldLimit: 2)
    for token in 0..<5 as Range<UInt64> { bench.read(10 + token, token * 99, stream: 2) }
    bench.pause(1)
    #expect(failures(bench.read(1, Self.far)).isEmpty)
  }

  @Test func `paused reads and those of lost owners share what may be held`() {
    var bench = Bench(heldLimit: 2)
    bench.act { $0.presenceChanged(bob, .away, now: $1, into: &$2) }
    bench.read(1, Self.far, stream: 2)
    bench.pause(1)
    bench.read(2, Self.far)
    #expect(failures(bench.read(3, Self.far + 50)) == [3: .tooManyHeld])
  }

  @Test func `a pause of more reads than may be held refuses the latest`() {
    var bench = Bench(heldLimit: 2)
    for token in 1...4 as ClosedRange<UInt64> { bench.read(token, token * 100) }
    #expect(failures(bench.pause(1)) == [3: .tooManyHeld, 4: .tooManyHeld])
  }

  @Test func `a killed reader of a paused file ends at once`() {
    var bench = Bench()
    bench.pause(1)
    bench.read(1, Self.far)
    let wasWaiting = bench.fetcher.cancel(1)
    #expect(wasWaiting)
    #expect(asked(bench.pause()).isEmpty)
  }

  @Test func `what the kernel wanted for a program that closed a paused file is let go`() {
    var bench = Bench()
    bench.read(9, Self.far, stream: 2)
    bench.pause(1)
    bench.read(1, Self.far)
    let first = bench.act { fetcher, _, actions in fetcher.abandonPaused(1, into: &actions) }
    #expect(failures(first) == [1: .abandoned])
    let second = bench.act { fetcher, _, actions in fetcher.abandonPaused(2, into: &actions) }
    #expect(second.isEmpty)
  }

  @Test func `what is known of a paused file is told`() {
    var bench = Bench()
    bench.read(1, Self.far)
    _ = bench.arrive(Self.far)
    bench.pause(1)
    bench.read(2, Self.far + 50)
    let figures = bench.fetcher.figures(of: bench.contents[0], now: .seconds(1))
    #expect(figures.isPaused && figures.opened == 1 && figures.waiting == 1)
    #expect(figures.cached == 1 && figures.parked == 1 && figures.timeLeft == nil)
    #expect(figures.bytes == UInt64(Limits.leaf))
    #expect(
      bench.fetcher.activeContents(within: .zero, now: .seconds(1)) == [bench.contents[0]])
  }
}
