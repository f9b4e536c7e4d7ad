import Core
import Protocol
import Testing

/// What is fetched before it is asked for, in which pieces, and how much memory it takes.
struct FetchingAheadTests {
  private struct Bench {
    var fetcher: ChunkFetcher
    let content: Content
    var token: ReadToken = 0

    init(leaves: UInt64 = 10_000, _ change: (inout ChunkFetcher.Settings) -> Void = { _ in }) {
      var settings = ChunkFetcher.Settings()
      change(&settings)
      fetcher = ChunkFetcher(settings: settings)
      content = Content(
        owner: alice, entry: id(1), version: id(2), size: leaves * UInt64(Limits.leaf))
      fetcher.open(1, content)
      var actions: [FetchAction] = []
      fetcher.linkReady(now: .zero, into: &actions)
    }

    mutating func read(
      _ offset: UInt64, _ length: Int = Limits.leaf, stream: StreamID = 1, at now: Instant = .zero
    ) -> [FetchAction] {
      token += 1
      var actions: [FetchAction] = []
      fetcher.read(
        token, stream: stream, offset: offset, length: length, now: now, into: &actions)
      return actions
    }

    @discardableResult
    mutating func arrive(_ request: ChunkRequest, at now: Instant = .zero) -> [FetchAction] {
      var actions: [FetchAction] = []
      for offset in 0..<request.count {
        let bytes = [UInt8](repeating: 1, count: 1 << Int(request.scale))
        fetcher.arrived(
          request.key(offset), bytes, now: now, into: &actions)
      }
      return actions
    }
  }

  private static let leaf = UInt64(Limits.leaf)

  private func requests(_ actions: [FetchAction]) -> [ChunkRequest] {
    actions.compactMap { if case .request(let request) = $0 { request } else { nil } }
  }

  private func leaves(_ actions: [FetchAction]) -> [UInt64] {
    requests(actions).flatMap { request in (0..<request.count).map { request.key($0).index } }
  }

  private func replies(_ actions: [FetchAction]) -> [[LeafSlice]] {
    actions.compactMap { if case .reply(_, let slices) = $0 { slices } else { nil } }
  }

  @Test func `who reads in order is fetched ahead of, ever farther while it starves`() {
    var bench = Bench()
    #expect(leaves(bench.read(0)) == Array(0...4))
    var farthest: [UInt64] = []
    for index in 1..<200 as Range<UInt64> {
      if let last = leaves(bench.read(index * Self.leaf)).max() { farthest.append(last - index) }
    }
    #expect(farthest.max()! * Self.leaf >= ChunkFetcher.Settings().windowLimit - Self.leaf)
    #expect(farthest == farthest.sorted())
  }

  @Test func `what a program waits for is asked for before what is fetched ahead`() {
    var bench = Bench()
    let first = requests(bench.read(0))
    #expect(first.first.map { [$0.first, UInt64($0.count)] } == [0, 1])
    #expect(first.count > 1)
  }

  @Test func `two who read one file in two places are both fetched ahead of`() {
    var bench = Bench()
    var ahead = [0, 0]
    for step in 0..<20 as Range<UInt64> {
      for (reader, start) in [1_000, 6_000].enumerated() as EnumeratedSequence<[UInt64]> {
        ahead[reader] += leaves(bench.read((start + step) * Self.leaf)).count
      }
    }
    #expect(ahead.allSatisfy { $0 > 24 })
  }

  @Test func `a random reader asks for pieces of what it reads`() {
    var bench = Bench()
    var last: [ChunkRequest] = []
    for place in [9_000, 1_000, 7_000, 3_000, 5_000, 2_000, 8_000] as [UInt64] {
      last = requests(bench.read(place * Self.leaf + 8_192, 4_096))
    }
    #expect(last.map(\.scale) == [12])
    #expect(last.first?.first == (8_000 * Self.leaf + 8_192) / 4_096)
    let answer = replies(bench.arrive(last[0]))
    #expect(answer.map { $0.map(\.count) } == [[4_096]])
    let wider = requests(bench.read(4_000 * Self.leaf, 20_000))
    #expect(wider.map(\.scale) == [15])
  }

  @Test func `a piece is never taken for a leaf`() {
    var bench = Bench()
    for place in [9_000, 1_000, 7_000, 3_000, 5_000] as [UInt64] {
      for request in requests(bench.read(place * Self.leaf, 4_096)) { bench.arrive(request) }
    }
    let pieces = requests(bench.read(6_000 * Self.leaf, 4_096))
    #expect(pieces.map(\.scale) == [12])
    let whole = requests(bench.read(6_000 * Self.leaf, Limits.leaf))
    #expect(whole.first?.scale == Limits.leafScale)
    #expect(replies(bench.arrive(whole[0])).map { $0.map(\.count) } == [[Limits.leaf]])
  }

  @Test func `a random reader is answered from a leaf that is there`() {
    var bench = Bench()
    for place in [9_000, 1_000, 7_000, 3_000, 5_000] as [UInt64] {
      _ = bench.read(place * Self.leaf, 4_096)
    }
    bench.arrive(requests(bench.read(6_000 * Self.leaf, Limits.leaf))[0])
    #expect(replies(bench.read(6_000 * Self.leaf + 40_960, 4_096)).count == 1)
  }

  @Test func `a random reader that goes on to read in order gets leaves again`() {
    var bench = Bench()
    for place in [9_000, 1_000, 7_000, 3_000, 5_000] as [UInt64] {
      _ = bench.read(place * Self.leaf, 4_096)
    }
    var scales: Set<UInt8> = []
    for step in 1..<200 as Range<UInt64> {
      scales = Set(requests(bench.read(5_000 * Self.leaf + step * 4_096, 4_096)).map(\.scale))
      if scales == [Limits.leafScale] { return }
    }
    #expect(scales == [Limits.leafScale])
  }

  @Test func `memory stays within the budget`() {
    var bench = Bench { $0.budget = 1 << 20 }
    for index in 0..<200 as Range<UInt64> {
      for request in requests(bench.read(index * Self.leaf)) { bench.arrive(request) }
      #expect(bench.fetcher.cachedBytes <= 1 << 20)
    }
  }

  @Test func `what was read in order to its end makes room`() {
    var bench = Bench()
    for index in 0..<1_000 as Range<UInt64> {
      for request in requests(bench.read(index * Self.leaf)) { bench.arrive(request) }
    }
    #expect(bench.fetcher.cachedBytes < 64 << 20)
    #expect(replies(bench.read(990 * Self.leaf)).count == 1)
  }

  @Test func `nothing stays in memory for long once no file is open`() {
    var bench = Bench()
    for request in requests(bench.read(700 * Self.leaf)) { bench.arrive(request) }
    bench.fetcher.close(1)
    var actions: [FetchAction] = []
    bench.fetcher.tick(now: .seconds(59), into: &actions)
    #expect(bench.fetcher.cachedBytes > 0)
    #expect(bench.fetcher.nextDeadline.map { $0 <= .seconds(60) } == true)
    bench.fetcher.tick(now: .seconds(60), into: &actions)
    #expect(bench.fetcher.cachedBytes == 0)
  }

  @Test func `a run is a quarter of a second of what comes`() {
    var bench = Bench { $0.windowLimit = 64 << 20 }
    var longest: UInt32 = 0
    for step in 0..<400 as Range<UInt64> {
      // 100 leaves a second: 13 MB/s.
      let now = Instant.milliseconds(Int64(step) * 10)
      for request in requests(bench.read(step * Self.leaf, at: now)) {
        if step > 200 { longest = max(longest, request.count) }
      }
      let key = bench.content.leaf(step)
      bench.arrive(ChunkRequest(key), at: now)
    }
    #expect((20...30).contains(longest))
  }

  @Test func `no more files are fetched ahead at a time than may, and the next when one rests`() {
    var bench = Bench { $0.aheadLimit = 1 }
    bench.fetcher.open(
      2, Content(owner: alice, entry: id(3), version: id(4), size: 1_000 * Self.leaf))
    #expect(leaves(bench.read(0)).count > 1)
    #expect(leaves(bench.read(0, stream: 2)).count == 1)
    #expect(leaves(bench.read(Self.leaf, stream: 2, at: .seconds(2))).count > 1)
  }

  @Test func `small files that are expected are there when they are read`() {
    var bench = Bench()
    let small = Content(owner: alice, entry: id(5), version: id(6), size: 100)
    var actions: [FetchAction] = []
    bench.fetcher.expect([small], now: .zero, into: &actions)
    bench.fetcher.expect([small], now: .zero, into: &actions)
    #expect(requests(actions).count == 1)
    bench.fetcher.arrived(
      requests(actions)[0].key(0), [UInt8](repeating: 7, count: 100),
      now: .zero, into: &actions)
    bench.fetcher.open(2, small)
    #expect(replies(bench.read(0, 4_096, stream: 2)).map { $0.map(\.count) } == [[100]])
  }
}

extension Content {
  fileprivate func leaf(_ index: UInt64) -> LeafKey {
    LeafKey(
      owner: owner, entry: entry, version: version, scale: Limits.leafScale, generation: 0,
      index: index)
  }
}
