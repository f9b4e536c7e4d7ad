import Core
import Protocol
import Testing

/// Whom a member dials, and when.
struct LineKeeperTests {
  private struct Bench {
    var keeper = LineKeeper()
    init() { keeper.turn(on: true) }

    mutating func act(
      _ body: (inout LineKeeper, inout [LineKeeper.Action]) -> Void
    ) -> [LineKeeper.Action] {
      var actions: [LineKeeper.Action] = []
      body(&keeper, &actions)
      return actions
    }

    mutating func wanted(at now: Instant) -> [LineKeeper.Action] {
      act { $0.wanted(alice, now: now, into: &$1) }
    }

    mutating func told(_ targets: [LineTarget], at now: Instant) -> [LineKeeper.Action] {
      act { $0.told(alice, targets, now: now, into: &$1) }
    }

    mutating func tick(at now: Instant) -> [LineKeeper.Action] {
      act { $0.tick(now: now, into: &$1) }
    }
  }

  private let place = [LineTarget(host: "192.0.2.1", port: 7)]
  private let elsewhere = [LineTarget(host: "192.0.2.2", port: 7)]

  @Test func `whoever is read from is asked for, dialled once, and left alone while a line stands`()
  {
    var bench = Bench()
    #expect(bench.wanted(at: .zero) == [.ask(alice)])
    #expect(bench.wanted(at: .seconds(1)).isEmpty)
    #expect(bench.told(place, at: .seconds(1)) == [.dial(alice, place)])
    bench.keeper.opened(3, to: alice)
    #expect(bench.wanted(at: .seconds(2)).isEmpty)
    #expect(bench.keeper.connected == [alice] && bench.keeper.line(to: alice) == 3)
    let remains = bench.keeper.closed(3, to: alice)
    #expect(!remains)
    #expect(bench.wanted(at: .seconds(3)) == [.ask(alice)])
  }

  @Test func `where it fails it is tried ever more seldom, and at once at another address`() {
    var bench = Bench()
    var now: Instant = .zero
    var spans: [Duration] = []
    for _ in 0..<9 {
      let before = now
      while bench.wanted(at: now).isEmpty { now += .seconds(1) }
      spans.append(now - before)
      #expect(bench.told(place, at: now) == [.dial(alice, place)])
      bench.keeper.dialFailed(alice, "refused", now: now)
    }
    #expect(spans[1] == .seconds(30) && spans[2] == .seconds(60) && spans[8] == .seconds(1_800))
    #expect(bench.keeper.obstacle(to: alice) == .failed("refused"))
    #expect(bench.told(elsewhere, at: now) == [.dial(alice, elsewhere)])
  }

  @Test func `who moves while it is dialled is looked for anew once that fails`() {
    var bench = Bench()
    _ = bench.wanted(at: .zero)
    #expect(bench.told(place, at: .zero) == [.dial(alice, place)])
    #expect(bench.told(elsewhere, at: .seconds(1)).isEmpty)
    bench.keeper.dialFailed(alice, "no answer", now: .seconds(10))
    #expect(bench.wanted(at: .seconds(10)) == [.ask(alice)])
    #expect(bench.told(elsewhere, at: .seconds(10)) == [.dial(alice, elsewhere)])
    // That is where it is, so it rests as ever.
    bench.keeper.dialFailed(alice, "no answer", now: .seconds(20))
    #expect(bench.wanted(at: .seconds(21)).isEmpty)
  }

  @Test func `who wants a line and cannot dial is dialled`() {
    var bench = Bench()
    #expect(bench.told(place, at: .zero).isEmpty)
    #expect(bench.tick(at: .seconds(1)).isEmpty)
    #expect(bench.tick(at: .seconds(2)) == [.dial(alice, place)])
    // One that came meanwhile is enough.
    bench = Bench()
    _ = bench.told(place, at: .zero)
    bench.keeper.opened(3, to: alice)
    #expect(bench.tick(at: .seconds(2)).isEmpty)
  }

  @Test func `an answer that does not come, and one that says nothing, end the try`() {
    var bench = Bench()
    _ = bench.wanted(at: .zero)
    #expect(bench.tick(at: .seconds(10)).isEmpty)
    #expect(bench.wanted(at: .seconds(11)).isEmpty)
    #expect(bench.wanted(at: .seconds(41)) == [.ask(alice)])
    #expect(bench.told([], at: .seconds(41)).isEmpty)
    #expect(bench.keeper.obstacle(to: alice) == .notListening)
  }

  @Test func `a change of network has who was wanted lately tried again`() {
    var bench = Bench()
    _ = bench.wanted(at: .zero)
    _ = bench.told(place, at: .zero)
    bench.keeper.dialFailed(alice, "no route", now: .zero)
    let soon = bench.act { $0.networkChanged(now: .seconds(5), into: &$1) }
    #expect(soon == [.ask(alice)])
    _ = bench.told(place, at: .seconds(5))
    bench.keeper.dialFailed(alice, "no route", now: .seconds(5))
    let late = bench.act { $0.networkChanged(now: .seconds(400), into: &$1) }
    #expect(late.isEmpty)
  }

  @Test func `without a hub nobody is asked for`() {
    var bench = Bench()
    _ = bench.wanted(at: .zero)
    bench.keeper.turn(on: false)
    #expect(bench.wanted(at: .seconds(1)).isEmpty)
    bench.keeper.turn(on: true)
    #expect(bench.wanted(at: .seconds(2)) == [.ask(alice)])
  }
}
