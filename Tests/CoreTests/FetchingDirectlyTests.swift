import Core
import Protocol
import Testing

/// Leaves by a line to their owner, and what becomes of them when it is no good.
struct FetchingDirectlyTests {
  private struct Bench {
    var fetcher = ChunkFetcher()
    var content = Content(
      owner: alice, entry: id(1), version: id(2), size: 1_000 * UInt64(Limits.leaf))

    init() {
      fetcher.open(1, content)
      var actions: [FetchAction] = []
      fetcher.linkReady(now: .zero, into: &actions)
    }

    mutating func act(
      _ body: (inout ChunkFetcher, inout [FetchAction]) -> Void
    ) -> [FetchAction] {
      var actions: [FetchAction] = []
      body(&fetcher, &actions)
      return actions
    }

    mutating func read(
      _ token: ReadToken, _ leaf: UInt64, at now: Instant = .zero
    ) -> [FetchAction] {
      act {
        $0.read(
          token, stream: 1, offset: leaf * UInt64(Limits.leaf), length: Limits.leaf, now: now,
          into: &$1)
      }
    }

    mutating func arrive(_ leaf: UInt64, by way: ChunkWay, at now: Instant) -> [FetchAction] {
      let key = key(leaf)
      return act {
        $0.arrived(
          key, [UInt8](repeating: 1, count: Limits.leaf), by: way, now: now, into: &$1)
      }
    }

    mutating func fail(
      _ leaf: UInt64, _ reason: ChunkFailureReason, _ retryAfter: UInt32, by way: ChunkWay,
      at now: Instant
    ) -> [FetchAction] {
      let failure = ChunkFailure(ChunkRequest(key(leaf)), reason: reason, retryAfter: retryAfter)
      return act { $0.failed(failure, by: way, now: now, into: &$1) }
    }

    mutating func tick(at now: Instant) -> [FetchAction] {
      act { $0.tick(now: now, into: &$1) }
    }

    func key(_ leaf: UInt64) -> LeafKey {
      LeafKey(
        owner: alice, entry: id(1), version: id(2), scale: Limits.leafScale, generation: 0,
        index: leaf)
    }
  }

  /// The first leaves that are asked for by each way.
  private func asked(_ actions: [FetchAction]) -> (hub: [UInt64], line: [UInt64]) {
    var (hub, line): ([UInt64], [UInt64]) = ([], [])
    for action in actions {
      switch action {
      case .request(let request): hub.append(request.first)
      case .requestDirectly(let request, 7): line.append(request.first)
      default: break
      }
    }
    return (hub, line)
  }

  @Test func `the hub is asked at once, and the line once it stands`() {
    var bench = Bench()
    #expect(asked(bench.read(1, 500)).hub == [500])
    bench.fetcher.lineOpened(7, to: alice, now: .zero)
    let later = asked(bench.read(2, 600))
    #expect(later.hub.isEmpty && later.line == [600])
    // Whichever comes first answers.
    #expect(bench.arrive(500, by: .hub, at: .zero).count == 1)
    #expect(bench.arrive(600, by: .line(7), at: .zero).count == 1)
    #expect(bench.fetcher.counts.direct == UInt64(Limits.leaf))
  }

  @Test func `what is outstanding on a line that ends is asked of the hub`() {
    var bench = Bench()
    bench.fetcher.lineOpened(7, to: alice, now: .zero)
    #expect(asked(bench.read(1, 500)).line == [500])
    let actions = bench.act { $0.lineClosed(7, to: alice, now: .zero, into: &$1) }
    #expect(asked(actions).hub == [500])
    #expect(bench.arrive(500, by: .hub, at: .zero).count == 1)
    #expect(asked(bench.read(2, 600)).hub == [600])
  }

  @Test func `a line that gives nothing for a second rests, and is tried again`() {
    var bench = Bench()
    bench.fetcher.lineOpened(7, to: alice, now: .zero)
    #expect(asked(bench.read(1, 500)).line == [500])
    bench.fetcher.lineHeard(7, of: alice, now: .milliseconds(800))
    #expect(asked(bench.tick(at: .milliseconds(1_500))).hub.isEmpty)
    #expect(asked(bench.tick(at: .milliseconds(2_400))).hub == [500])
    #expect(bench.fetcher.directState(of: bench.content.name, now: .seconds(3)) == .stalled(7))
    #expect(asked(bench.read(2, 600, at: .seconds(3))).hub == [600])
    // A leaf that comes by it after all says that it is well.
    _ = bench.arrive(500, by: .line(7), at: .seconds(4))
    #expect(asked(bench.read(3, 700, at: .seconds(4))).line == [700])
  }

  @Test func `a line that has stalled is tried again after a while`() {
    var bench = Bench()
    bench.fetcher.lineOpened(7, to: alice, now: .zero)
    _ = bench.read(1, 500)
    #expect(asked(bench.tick(at: .seconds(2))).hub == [500])
    #expect(asked(bench.read(2, 600, at: .seconds(11))).hub == [600])
    #expect(asked(bench.read(3, 700, at: .seconds(13))).line == [700])
  }

  @Test func `what a line that is slow, but never silent, does not give in time the hub gives`() {
    var bench = Bench()
    bench.fetcher.lineOpened(7, to: alice, now: .zero)
    #expect(asked(bench.read(1, 500)).line == [500])
    var now: Instant = .zero
    var later: (hub: [UInt64], line: [UInt64]) = ([], [])
    while later.hub.isEmpty, now < .seconds(20) {
      now += .milliseconds(400)
      bench.fetcher.lineHeard(7, of: alice, now: now)
      later = asked(bench.tick(at: now))
      #expect(later.line.isEmpty)
    }
    #expect(later.hub == [500] && now >= .seconds(8) && now < .seconds(10))
    // It is not asked for by the line again, whatever else is.
    #expect(asked(bench.read(2, 600, at: now)).line == [600])
    #expect(asked(bench.fail(500, .busy, 50, by: .hub, at: now)).line.isEmpty)
    #expect(asked(bench.tick(at: now + .milliseconds(100))).hub == [500])
  }

  @Test func `what is outstanding on a line in whose place another came waits no longer for it`() {
    var bench = Bench()
    bench.fetcher.lineOpened(7, to: alice, now: .zero)
    #expect(asked(bench.read(1, 500)).line == [500])
    bench.fetcher.lineOpened(8, to: alice, now: .milliseconds(200))
    let early = bench.tick(at: .milliseconds(600))
    #expect(early.isEmpty)
    let anew = bench.tick(at: .milliseconds(1_200))
    #expect(anew == [.requestDirectly(ChunkRequest(bench.key(500)), by: 8)])
    // The newer one has done nothing wrong.
    #expect(
      bench.fetcher.directState(of: bench.content.name, now: .milliseconds(1_200)) == .direct(8))
    #expect(bench.arrive(500, by: .line(8), at: .milliseconds(1_300)).count == 1)
  }

  @Test func `what this member's own limit holds back is no silence of the line`() {
    var bench = Bench()
    bench.fetcher.lineOpened(7, to: alice, now: .zero)
    _ = bench.read(1, 500)
    bench.fetcher.lineHeard(7, of: alice, rest: .seconds(4), now: .zero)
    #expect(asked(bench.tick(at: .milliseconds(4_900))).hub.isEmpty)
    #expect(asked(bench.tick(at: .milliseconds(5_500))).hub == [500])
  }

  @Test func `an owner that refuses many leaves at once is one refusal`() {
    var bench = Bench()
    bench.fetcher.lineOpened(7, to: alice, now: .zero)
    _ = bench.act {
      $0.read(
        1, stream: 1, offset: 500 * UInt64(Limits.leaf), length: 8 * Limits.leaf, now: .zero,
        into: &$1)
    }
    let refusal = ChunkFailure(ChunkRequest(bench.key(500), count: 8), reason: .denied)
    #expect(
      !asked(bench.act { $0.failed(refusal, by: .line(7), now: .zero, into: &$1) }).hub.isEmpty)
    #expect(asked(bench.read(2, 600, at: .seconds(9))).hub == [600])
    #expect(asked(bench.read(3, 700, at: .seconds(11))).line == [700])
  }

  @Test func `who is sent to the hub stays there as long as the owner says`() {
    var bench = Bench()
    bench.fetcher.lineOpened(7, to: alice, now: .zero)
    _ = bench.read(1, 500)
    #expect(asked(bench.fail(500, .shared, 0, by: .line(7), at: .zero)).hub == [500])
    #expect(asked(bench.read(2, 600)).line == [600])
    #expect(asked(bench.fail(600, .shared, 60_000, by: .line(7), at: .zero)).hub == [600])
    #expect(asked(bench.read(3, 700, at: .seconds(59))).hub == [700])
    #expect(asked(bench.read(4, 800, at: .seconds(61))).line == [800])
  }

  @Test func `a failure by one way says nothing of what is asked for by the other`() {
    var bench = Bench()
    _ = bench.read(1, 500)
    bench.fetcher.lineOpened(7, to: alice, now: .zero)
    #expect(bench.fail(500, .unreadable, 0, by: .line(7), at: .zero).isEmpty)
    #expect(bench.fetcher.waitingReads == 1)
    #expect(bench.fail(500, .unreadable, 0, by: .hub, at: .zero) == [.fail(1, .unreadable)])
  }
}
