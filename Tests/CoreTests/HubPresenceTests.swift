import Core
import Protocol
import Testing

/// What everyone is told of where clients are.
struct HubPresenceTests {
  /// What a session is told of presence, in order.
  private static func told(_ actions: [HubAction], _ session: SessionID) -> [(Presence, [PublicID])]
  {
    actions.messages(to: session).compactMap {
      switch $0 {
      case .online(let ids): (.online, ids)
      case .away(let ids): (.away, ids)
      case .gone(let ids): (.gone, ids)
      default: nil
      }
    }
  }

  @Test func `where few come and go everyone hears of it at once`() {
    var bench = HubBench.approved(3)
    let lost = bench.act { $0.closed(1, now: $1, into: &$2) }
    #expect(Self.told(lost, 2).map(\.0) == [.away] && Self.told(lost, 3).map(\.0) == [.away])
    #expect(bench.hub.nextDeadline != nil, "its grace ends")
  }

  @Test func `where many come back it is told together, and who was lost is told as lost first`() {
    var bench = HubBench.approved(90)
    bench.now += .seconds(1)
    bench.act { $0.tick(now: $1, into: &$2) }
    let watcher: SessionID = 90
    var all: [HubAction] = []
    for number in 1...80 as ClosedRange<UInt8> {
      all += bench.act { $0.closed(SessionID(number), now: $1, into: &$2) }
      all += bench.clientRegisters(number, session: 1_000 + SessionID(number))
    }
    #expect(Self.told(all, HubBench.masterSession).count >= 160, "the master hears at once")
    #expect(Self.told(all, watcher).count < 80)
    // The next deadline is that of what was gathered: long before any grace.
    var ticks = 0
    while ticks < 10, let due = bench.hub.nextDeadline, due < bench.now + .seconds(5) {
      bench.now = max(bench.now, due)
      all += bench.act { $0.tick(now: $1, into: &$2) }
      ticks += 1
    }
    let heard = Self.told(all, watcher)
    #expect(heard.count < 100)
    var latest: [PublicID: Presence] = [:]
    var wasLost: Set<PublicID> = []
    for (presence, ids) in heard {
      for id in ids {
        latest[id] = presence
        if presence == .away { wasLost.insert(id) }
      }
    }
    let back = (1...80).map { PublicID(UInt32($0)) }
    #expect(back.allSatisfy { latest[$0] == .online && wasLost.contains($0) })
  }

  @Test func `who comes while news are gathered learns them with the others`() {
    var bench = HubBench.approved(90)
    bench.now += .seconds(1)
    bench.act { $0.tick(now: $1, into: &$2) }
    for number in 1...80 as ClosedRange<UInt8> {
      bench.act { $0.closed(SessionID(number), now: $1, into: &$2) }
    }
    var all = bench.clientRegisters(1, session: 2_000)
    bench.now += .seconds(2)
    all += bench.act { $0.tick(now: $1, into: &$2) }
    var latest: [PublicID: Presence] = [:]
    for (presence, ids) in Self.told(all, 2_000) { for id in ids { latest[id] = presence } }
    #expect((2...80).allSatisfy { latest[PublicID(UInt32($0))] == .away })
    #expect((81...90).allSatisfy { latest[PublicID(UInt32($0))] == .online })
  }
}
