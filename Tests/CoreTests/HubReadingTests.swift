import Core
import Protocol
import Testing

/// The hub's part in reading: one upload for all who ask, and no queue without a bound.
struct HubReadingTests {
  private func request(
    _ first: UInt64 = 0, count: UInt32 = 1, owner: PublicID = alice, pastCache: Bool = false
  ) -> ChunkRequest {
    ChunkRequest(
      owner: owner, entry: id(1), version: id(2), scale: Limits.leafScale, generation: 0,
      first: first, count: count, pastCache: pastCache)
  }

  private func frame(_ index: UInt64 = 0) -> [UInt8] {
    let bytes = Limits.leaf
    return BulkFrame.header(request(index).key(0), payload: bytes)
      + [UInt8](repeating: 1, count: bytes)
  }

  private func arrive(
    _ frame: [UInt8], at bench: inout HubBench, from session: SessionID = 1
  ) -> [HubAction] {
    bench.act { $0.receivedFrame(frame, session: session, now: $1, into: &$2) }
  }

  @Test func `two askers of one leaf cost one upload`() {
    var bench = HubBench.approved(3)
    #expect(bench.receives(.requestChunk(request()), from: 2).uploads == [request()])
    #expect(bench.receives(.requestChunk(request()), from: 3).uploads.isEmpty)
    #expect(arrive(frame(), at: &bench).framed == [2, 3])
  }

  @Test func `a leaf at hand is sent without asking its owner`() {
    var bench = HubBench.approved(3)
    bench.receives(.requestChunk(request()), from: 2)
    _ = arrive(frame(), at: &bench)
    let actions = bench.receives(.requestChunk(request()), from: 3)
    #expect(actions.uploads.isEmpty && actions.framed == [3])
  }

  @Test func `a leaf at hand outlives its owner's connection`() {
    var bench = HubBench.approved(3)
    bench.receives(.requestChunk(request()), from: 2)
    _ = arrive(frame(), at: &bench)
    bench.act { $0.closed(1, now: $1, into: &$2) }
    let actions = bench.receives(.requestChunk(request(0, count: 2)), from: 3)
    #expect(actions.framed == [3])
    #expect(actions.failures(to: 3).map(\.first) == [1])
    #expect(actions.failures(to: 3).map(\.reason) == [.away])
  }

  @Test func `a leaf at hand goes after its time`() {
    var bench = HubBench.approved(3)
    bench.receives(.requestChunk(request()), from: 2)
    _ = arrive(frame(), at: &bench)
    #expect(bench.hub.cachedBytes > 0)
    bench.act { hub, _, actions in hub.tick(now: .seconds(60), into: &actions) }
    #expect(bench.hub.cachedBytes == 0)
  }

  @Test func `past the cache means from the owner`() {
    var bench = HubBench.approved(3)
    bench.receives(.requestChunk(request()), from: 2)
    _ = arrive(frame(), at: &bench)
    let actions = bench.receives(.requestChunk(request(pastCache: true)), from: 3)
    #expect(actions.framed.isEmpty && actions.uploads == [request(pastCache: true)])
  }

  @Test func `leaves at hand never take more than their limit`() {
    var settings = Hub.Settings()
    settings.relay.cacheLimit = 300_000
    var bench = HubBench.approved(2, settings: settings)
    bench.receives(.requestChunk(request(0, count: 8)), from: 2)
    for index in 0..<8 as Range<UInt64> { _ = arrive(frame(index), at: &bench) }
    #expect(bench.hub.cachedBytes <= 300_000 && bench.hub.cachedBytes > 200_000)
  }

  @Test func `nothing is asked beyond an asker's credit`() {
    var settings = Hub.Settings()
    settings.relay.credit = 300_000
    var bench = HubBench.approved(2, settings: settings)
    let first = bench.receives(.requestChunk(request(0, count: 8)), from: 2)
    #expect(first.uploads == [request(0, count: 3)])
    _ = arrive(frame(0), at: &bench)
    let drained = bench.act {
      $0.sentFrames(bytes: frame().count, session: 2, now: $1, into: &$2)
    }
    #expect(drained.uploads == [request(3)])
  }

  @Test func `a credit that was used up goes on in runs`() {
    var settings = Hub.Settings()
    settings.relay.credit = 16 * frame().count
    var bench = HubBench.approved(2, settings: settings)
    let first = bench.receives(.requestChunk(request(0, count: 40)), from: 2)
    #expect(first.uploads == [request(0, count: 16)])
    for index in UInt64(0)..<4 { _ = arrive(frame(index), at: &bench) }
    let one = bench.act { $0.sentFrames(bytes: frame().count, session: 2, now: $1, into: &$2) }
    #expect(one.uploads.isEmpty)
    // What a program waits for now does not wait for that.
    #expect(bench.receives(.requestChunk(request(50)), from: 2).uploads == [request(50)])
    let three = bench.act {
      $0.sentFrames(bytes: 3 * frame().count, session: 2, now: $1, into: &$2)
    }
    #expect(three.uploads == [request(16, count: 3)])
  }

  @Test func `what a program waits for now goes before what is read in bulk`() {
    var settings = Hub.Settings()
    settings.relay.credit = 300_000
    settings.relay.urgentCredit = 150_000
    var bench = HubBench.approved(2, settings: settings)
    bench.receives(.requestChunk(request(0, count: 8)), from: 2)
    let atOnce = bench.receives(.requestChunk(request(50)), from: 2)
    #expect(atOnce.uploads == [request(50)])
    let waits = bench.receives(.requestChunk(request(60)), from: 2)
    #expect(waits.uploads.isEmpty)
    _ = arrive(frame(0), at: &bench)
    _ = arrive(frame(1), at: &bench)
    let drained = bench.act {
      $0.sentFrames(bytes: 2 * frame().count, session: 2, now: $1, into: &$2)
    }
    #expect(drained.uploads == [request(60)] || drained.uploads == [request(60), request(3)])
  }

  @Test func `credit that a failure frees is used at the next tick`() {
    var settings = Hub.Settings()
    settings.relay.credit = 300_000
    var bench = HubBench.approved(2, settings: settings)
    bench.receives(.requestChunk(request(0, count: 8)), from: 2)
    let failure = ChunkFailure(request(0, count: 3), reason: .unreadable)
    bench.receives(.chunkFailed(failure), from: 1)
    #expect(bench.hub.nextDeadline == .zero)
    let later = bench.act { hub, _, actions in hub.tick(now: .zero, into: &actions) }
    #expect(later.uploads == [request(3, count: 3)])
  }

  @Test func `a tick leaves nothing due that what it gives up has made possible`() {
    var settings = Hub.Settings()
    settings.relay.credit = 300_000
    var bench = HubBench.approved(2, settings: settings)
    bench.receives(.requestChunk(request(0, count: 8)), from: 2)
    let later = bench.act { hub, _, actions in hub.tick(now: .seconds(25), into: &actions) }
    #expect(later.failures(to: 2).map(\.reason).allSatisfy { $0 == .busy })
    #expect(!later.uploads.isEmpty && bench.hub.nextDeadline != .zero)
  }

  @Test(arguments: [1, 64] as [UInt32])
  func `an owner that gives nothing does not hold up what others give`(count: UInt32) {
    var settings = Hub.Settings()
    settings.relay.credit = 2 << 20
    settings.relay.urgentCredit = 1 << 20
    var bench = HubBench.approved(3, settings: settings)
    for first in 0..<64 as Range<UInt64> {
      bench.receives(.requestChunk(request(first * 64, count: count)), from: 2)
    }
    let other = PublicID(3)
    let both = [request(0, owner: other), request(8, count: 4, owner: other)]
    let asked = both.flatMap { bench.receives(.requestChunk($0), from: 2).uploads }
    #expect(asked.map(\.owner) == [other, other] && asked.map(\.first) == [0, 8])
    // However much it is, it has an end.
    for first in 1..<64 as Range<UInt64> {
      bench.receives(.requestChunk(request(first * 64, count: count, owner: other)), from: 2)
    }
    #expect((bench.hub.relayLoads[2]?.inFlight ?? 0) <= settings.relay.limit + frame().count)
    // What one owner was asked for is in the way of nothing once its connection has ended.
    bench.act { $0.closed(1, now: $1, into: &$2) }
    #expect(bench.hub.relayLoads[2]?.owed[1] == nil && bench.hub.leavesOnTheirWay[alice] == nil)
  }

  @Test func `an asker that asks for too much at once is told to wait`() {
    var settings = Hub.Settings()
    settings.relay.wantedLimit = 10
    settings.relay.credit = 0
    var bench = HubBench.approved(2, settings: settings)
    bench.receives(.requestChunk(request(0, count: 10)), from: 2)
    let failure = bench.receives(.requestChunk(request(20)), from: 2).failures(to: 2).first
    #expect(failure?.reason == .busy)
    #expect((failure?.retryAfter ?? 0) > 0)
  }

  @Test func `all who wait are told when the owner is lost`() {
    var bench = HubBench.approved(3)
    bench.receives(.requestChunk(request()), from: 2)
    bench.receives(.requestChunk(request()), from: 3)
    let actions = bench.act { $0.closed(1, now: $1, into: &$2) }
    #expect(actions.failures(to: 2).map(\.reason) == [.away])
    #expect(actions.failures(to: 3).map(\.reason) == [.away])
  }

  @Test func `all who wait are told when the owner is disapproved`() {
    var bench = HubBench.approved(2)
    bench.receives(.requestChunk(request()), from: 2)
    #expect(bench.decides(alice, .disapproved).failures(to: 2).map(\.reason) == [.denied])
  }

  @Test func `an owner that takes too long is given up for now`() {
    var bench = HubBench.approved(2)
    bench.receives(.requestChunk(request()), from: 2)
    let actions = bench.act { hub, _, actions in hub.tick(now: .seconds(25), into: &actions) }
    #expect(actions.failures(to: 2).map(\.reason) == [.busy])
  }

  @Test func `an owner's word that a leaf does not come reaches all who wait`() {
    var bench = HubBench.approved(3)
    bench.receives(.requestChunk(request()), from: 2)
    bench.receives(.requestChunk(request()), from: 3)
    let failure = ChunkFailure(request(), reason: .changed)
    let actions = bench.receives(.chunkFailed(failure), from: 1)
    #expect(actions.failures(to: 2) == [failure] && actions.failures(to: 3) == [failure])
  }

  @Test(arguments: [PublicID(2), PublicID(77), PublicID(3)])
  func `one's own, a stranger's and a waiting client's leaves are denied`(owner: PublicID) {
    var bench = HubBench.approved(2)
    bench.clientRegisters(3)
    let actions = bench.receives(.requestChunk(request(owner: owner)), from: 2)
    #expect(actions.failures(to: 2).map(\.reason) == [.denied])
  }

  @Test func `a frame of another owner's leaf ends the connection`() {
    var bench = HubBench.approved(3)
    bench.receives(.requestChunk(request()), from: 2)
    let actions = arrive(frame(), at: &bench, from: 3)
    #expect(actions.refusals == [3: .protocolError] && actions.framed.isEmpty)
  }

  @Test func `a word on another owner's leaf ends the connection`() {
    var bench = HubBench.approved(3)
    let failure = ChunkFailure(request(), reason: .gone)
    #expect(bench.receives(.chunkFailed(failure), from: 3).refusals == [3: .protocolError])
  }

  @Test func `a frame that nobody asked for is dropped`() {
    var bench = HubBench.approved(2)
    #expect(arrive(frame(), at: &bench).isEmpty)
    #expect(bench.hub.cachedBytes == 0)
  }

  @Test func `an asker that is gone gets nothing`() {
    var bench = HubBench.approved(3)
    bench.receives(.requestChunk(request()), from: 2)
    bench.receives(.requestChunk(request()), from: 3)
    bench.act { $0.closed(2, now: $1, into: &$2) }
    #expect(arrive(frame(), at: &bench).framed == [3])
  }
}
