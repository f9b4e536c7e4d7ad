import Core
import Protocol
import Testing

/// What one member's flood is to the master and to everybody else.
struct HubFloodTests {
  private func proposal(_ counter: UInt64, bytes: Int = 100) -> Message {
    .addFiles(
      Proposal(
        transfer: TransferID(incarnation: 1, counter: counter), oldest: 1,
        body: [UInt8](repeating: 7, count: bytes)))
  }

  private func question(_ counter: UInt64) -> Message {
    let name = TransferID(incarnation: 1, counter: counter)
    return .askFiles(
      ListQuestion(
        cursor: ListCursor(order: .none, offset: 0, began: 0, question: name), mark: .none))
  }

  /// What reached the master of a client, by counters.
  private func passed(_ actions: [HubAction], of number: UInt32) -> [UInt64] {
    actions.compactMap { action in
      guard case .send(.forwarded(PublicID(number), let inner), [HubBench.masterSession]) = action
      else { return nil }
      return inner.named?.counter
    }
  }

  private func refuse(_ counter: UInt64, of number: UInt32) -> Message {
    let name = TransferID(incarnation: 1, counter: counter)
    return .directed(to: PublicID(number), .changeRefused(ChangeRefusal(name, .impossible)))
  }

  @Test func `the master has so many messages of one client unanswered, and no more`() {
    var bench = HubBench.approved(2)
    var reached: [UInt64] = []
    for counter in 1...200 as ClosedRange<UInt64> {
      reached += passed(bench.receives(proposal(counter), from: 1), of: 1)
    }
    #expect(reached == Array(1...32))
    // Somebody else's goes at once.
    #expect(passed(bench.receives(proposal(1), from: 2), of: 2) == [1])
    // Each answer lets the next one go; one that nobody asked for lets none.
    let master = HubBench.masterSession
    #expect(passed(bench.receives(refuse(1, of: 1), from: master), of: 1) == [33])
    #expect(passed(bench.receives(refuse(1, of: 1), from: master), of: 1).isEmpty)
    #expect(passed(bench.receives(refuse(2, of: 1), from: master), of: 1) == [34])
  }

  @Test func `those who wait go in turns`() {
    var bench = HubBench.approved(3)
    var settings = Hub.Settings()
    settings.forwarding.unansweredOfAll = 400
    bench = HubBench.approved(3, settings: settings)
    var order: [UInt32] = []
    func note(_ actions: [HubAction]) {
      for case .send(.forwarded(let sender, _), _) in actions { order.append(sender.value) }
    }
    for counter in 1...20 as ClosedRange<UInt64> {
      note(bench.receives(proposal(counter), from: 1))
    }
    for counter in 1...2 as ClosedRange<UInt64> {
      note(bench.receives(proposal(counter), from: 2))
      note(bench.receives(proposal(counter), from: 3))
    }
    #expect(order == [1, 1])
    for counter in 1...4 as ClosedRange<UInt64> {
      note(bench.receives(refuse(counter, of: 1), from: HubBench.masterSession))
    }
    #expect(order == [1, 1, 1, 2, 3, 1] || order.dropFirst(2).filter { $0 != 1 } == [2, 3])
  }

  @Test func `beyond what may wait a client is not read, until most of it has gone`() {
    var bench = HubBench.approved(2)
    var holds: [HubAction] = []
    for counter in 1...40 as ClosedRange<UInt64> {
      holds += bench.receives(proposal(counter, bytes: 60_000), from: 1).filter {
        if case .hold = $0 { true } else { false }
      }
    }
    #expect(holds == [.hold(1, true)])
    var counter: UInt64 = 0
    while holds.count < 2, counter < 40 {
      counter += 1
      holds += bench.receives(refuse(counter, of: 1), from: HubBench.masterSession).filter {
        if case .hold = $0 { true } else { false }
      }
    }
    #expect(holds.last == .hold(1, false))
    #expect(counter > 5 && counter < 30)
  }

  @Test func `while somebody is behind only those who say little are heard`() {
    var settings = Hub.Settings()
    settings.forwarding.lightBytes = 64 << 10
    var bench = HubBench.approved(2, settings: settings)
    func say(_ counter: UInt64, _ session: SessionID, bytes: Int) -> [UInt64] {
      let number = UInt32(session)
      let reached = passed(
        bench.receives(proposal(counter, bytes: bytes), from: session), of: number)
      bench.receives(refuse(counter, of: number), from: HubBench.masterSession)
      return reached
    }
    bench.act { $0.setCongested(true, now: $1, into: &$2) }
    let loud = (1...20 as ClosedRange<UInt64>).flatMap { say($0, 1, bytes: 30_000) }
    let low = (1...20 as ClosedRange<UInt64>).flatMap { say($0, 2, bytes: 300) }
    #expect(loud == [1, 2] && low == Array(1...20))
    #expect(
      passed(bench.act { $0.setCongested(false, now: $1, into: &$2) }, of: 1) == Array(3...10))
  }

  @Test func `a second copy of what is unanswered is not passed on, until that is long ago`() {
    var bench = HubBench.approved(1)
    #expect(passed(bench.receives(proposal(1), from: 1), of: 1) == [1])
    bench.now += .seconds(3)
    #expect(passed(bench.receives(proposal(1), from: 1), of: 1).isEmpty)
    bench.now += .seconds(8)
    #expect(passed(bench.receives(proposal(1), from: 1), of: 1) == [1])
  }

  @Test func `a copy that comes just when no answer is awaited any more counts once`() {
    var bench = HubBench.approved(1)
    bench.receives(proposal(1), from: 1)
    bench.now += .milliseconds(9_500)
    bench.receives(proposal(2), from: 1)
    bench.now += .milliseconds(700)
    #expect(passed(bench.receives(proposal(1), from: 1), of: 1) == [1])
    for counter in 1...2 as ClosedRange<UInt64> {
      bench.receives(refuse(counter, of: 1), from: HubBench.masterSession)
    }
    #expect(bench.hub.unansweredBytes == 0)
  }

  @Test func `what a master does not answer holds up nothing for ever`() {
    var bench = HubBench.approved(1)
    for counter in 1...64 as ClosedRange<UInt64> { bench.receives(proposal(counter), from: 1) }
    bench.now += .seconds(11)
    #expect(passed(bench.act { $0.tick(now: $1, into: &$2) }, of: 1) == Array(33...64))
  }

  @Test func `the master has two questions of one client unanswered`() {
    var bench = HubBench.approved(1)
    let reached = (1...10 as ClosedRange<UInt64>).flatMap { counter in
      passed(bench.receives(question(counter), from: 1), of: 1)
    }
    #expect(reached == [1, 2])
    let next = bench.receives(refuse(1, of: 1), from: HubBench.masterSession)
    #expect(passed(next, of: 1) == [3])
  }

  @Test func `for whom the master is not ready rests, and nobody else`() {
    var bench = HubBench.approved(2)
    for counter in 1...40 as ClosedRange<UInt64> { bench.receives(proposal(counter), from: 1) }
    let name = TransferID(incarnation: 1, counter: 1)
    let next = bench.receives(.directed(to: PublicID(1), .serverNotReady(name)), from: 100)
    #expect(passed(next, of: 1).isEmpty)
    #expect(passed(bench.receives(refuse(2, of: 1), from: 100), of: 1).isEmpty)
    #expect(passed(bench.receives(proposal(1), from: 2), of: 2) == [1])
    bench.now += .milliseconds(250)
    #expect(passed(bench.act { $0.tick(now: $1, into: &$2) }, of: 1) == [33, 34])
  }

  @Test func `what is never answered takes nothing from others for ever`() {
    var settings = Hub.Settings()
    settings.forwarding.unansweredOfAll = 400
    var bench = HubBench.approved(2, settings: settings)
    bench.receives(proposal(1, bytes: 300), from: 1)
    #expect(passed(bench.receives(proposal(1), from: 2), of: 2).isEmpty)
    // Client 1 says nothing more.
    bench.now += .seconds(11)
    #expect(passed(bench.act { $0.tick(now: $1, into: &$2) }, of: 2) == [1])
  }

  @Test func `ten thousand small messages that wait cost no more each than one`() {
    var settings = Hub.Settings()
    settings.forwarding.waitingBytes = .max / 2
    var bench = HubBench.approved(1, settings: settings)
    for counter in 1...20_000 as ClosedRange<UInt64> {
      bench.receives(proposal(counter, bytes: 1), from: 1)
    }
    var reached = 0
    for counter in 1...20_000 as ClosedRange<UInt64> {
      bench.now += .milliseconds(1)
      reached += passed(bench.receives(refuse(counter, of: 1), from: 100), of: 1).count
    }
    #expect(reached == 20_000 - 32)
  }

  @Test func `so many questions of one client reach the master in a second, and as many at once`() {
    var bench = HubBench.approved(1)
    var reached = 0
    for counter in 1...5_000 as ClosedRange<UInt64> {
      let actions = bench.receives(question(counter), from: 1)
      reached += passed(actions, of: 1).count
      bench.receives(refuse(counter, of: 1), from: 100)
    }
    #expect(reached == 200)
    bench.now += .seconds(1)
    #expect(passed(bench.act { $0.tick(now: $1, into: &$2) }, of: 1).count == 2)
  }

  @Test func `when the master comes back all is said again, and who was held is read`() {
    var bench = HubBench.approved(1)
    for counter in 1...40 as ClosedRange<UInt64> {
      bench.receives(proposal(counter, bytes: 60_000), from: 1)
    }
    let lost = bench.act { $0.closed(HubBench.masterSession, now: $1, into: &$2) }
    #expect(lost.contains(.hold(1, false)))
    bench.masterRegisters()
    #expect(passed(bench.receives(proposal(1), from: 1), of: 1) == [1])
  }

  @Test func `who has no downward stream makes nobody upload`() {
    var bench = HubBench(settings: Hub.Settings())
    bench.masterRegisters()
    for number in 1...2 as ClosedRange<UInt8> {
      bench.clientRegisters(number)
      bench.decides(PublicID(UInt32(number)), .approved)
    }
    // A second connection of client 2, whose streams are not open yet.
    var actions: [HubAction] = []
    bench.hub.opened(7, now: bench.now)
    bench.hub.clientRegisters(
      register(2, incarnation: 2), proofHolds: true, session: 7, now: bench.now, into: &actions)
    let request = ChunkRequest(
      LeafKey(
        owner: PublicID(1), entry: id(1), version: id(2), scale: Limits.leafScale, generation: 1,
        index: 0), count: 64)
    let answers = bench.receives(.requestChunk(request), from: 7)
    #expect(answers.uploads.isEmpty && answers.failures(to: 7).map(\.reason) == [.busy])
    bench.hub.openedDown(7)
    #expect(bench.receives(.requestChunk(request), from: 7).uploads == [request])
  }
}
