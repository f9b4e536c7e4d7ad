import Core
import Protocol
import Testing

/// Direct for one, hub for many.
struct ServedDirectlyTests {
  private func run(_ first: UInt64, _ count: UInt32, of file: UInt64 = 1) -> ChunkRequest {
    ChunkRequest(
      owner: alice, entry: id(file), version: id(2), scale: Limits.leafScale, generation: 1,
      first: first, count: count, pastCache: false)
  }

  @Test func `one reader gets all of it, again and again`() {
    var served = ServedDirectly()
    for pass in 0..<3 as Range<Int64> {
      for first in stride(from: 0, to: 2_048, by: 64) as StrideTo<UInt64> {
        #expect(served.wanted(run(first, 64), by: .member(alice), now: .seconds(pass)) == .go)
      }
    }
  }

  @Test func `a second reader of the same sends both to the hub, for as long as it keeps leaves`() {
    var served = ServedDirectly()
    let bob = PublicID(9)
    #expect(served.wanted(run(0, 64), by: .member(alice), now: .zero) == .go)
    // Another part of the file is nobody else's.
    #expect(served.wanted(run(500, 1), by: .member(bob), now: .zero) == .go)
    #expect(
      served.wanted(run(10, 1), by: .member(bob), now: .seconds(1)) == .hub(for: .seconds(60)))
    #expect(
      served.wanted(run(64, 64), by: .member(alice), now: .seconds(2)) == .hub(for: .seconds(59)))
    #expect(served.wanted(run(10, 1), by: .hub, now: .seconds(3)) == .go)
    #expect(served.wanted(run(700, 1), by: .member(alice), now: .seconds(70)) == .go)
    #expect(served.wanted(run(0, 1, of: 3), by: .member(bob), now: .seconds(3)) == .go)
  }

  @Test func `what the hub has at hand comes from there, and nothing else for that`() {
    var served = ServedDirectly()
    #expect(served.wanted(run(0, 4), by: .hub, now: .zero) == .go)
    #expect(served.wanted(run(1, 2), by: .member(alice), now: .seconds(1)) == .hub(for: .zero))
    #expect(served.wanted(run(2, 8), by: .member(alice), now: .seconds(1)) == .go)
    #expect(served.wanted(run(20, 4), by: .member(alice), now: .seconds(1)) == .go)
    // Somebody who has no line reads what this one does.
    #expect(served.wanted(run(20, 4), by: .hub, now: .seconds(2)) == .go)
    #expect(
      served.wanted(run(24, 4), by: .member(alice), now: .seconds(2)) == .hub(for: .seconds(60)))
  }

  @Test func `however many files there are, memory is bounded`() {
    var served = ServedDirectly()
    for file in 1...20_000 as ClosedRange<UInt64> {
      #expect(served.wanted(run(0, 1, of: file), by: .member(alice), now: .zero) == .go)
    }
  }
}
