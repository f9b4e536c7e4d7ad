import Core
import Protocol
import Testing

/// Where members listen for each other, passed on by the hub.
struct HubAddressesTests {
  private func told(_ actions: [HubAction], to session: SessionID) -> [ToldAddresses] {
    actions.compactMap { action in
      guard case .send(.addresses(let told), let audience) = action, audience == [session] else {
        return nil
      }
      return told
    }
  }

  @Test func `who asks hears it, and the other hears where the asker listens`() {
    var bench = HubBench.approved(3)
    #expect(bench.receives(.tellAddresses([1]), from: 1).isEmpty)
    let first = bench.receives(.askAddresses(PublicID(1)), from: 2)
    #expect(told(first, to: 2).map(\.sealed) == [[1]] && told(first, to: 1).isEmpty)
    bench.receives(.tellAddresses([3]), from: 3)
    let second = bench.receives(.askAddresses(PublicID(1)), from: 3)
    #expect(told(second, to: 3).map(\.sealed) == [[1]])
    #expect(told(second, to: 1).map(\.sealed) == [[3]])
    #expect(told(second, to: 1).map(\.publicID) == [PublicID(3)])
    // Whoever has asked hears of another address; nobody else does.
    let changed = bench.receives(.tellAddresses([9]), from: 1)
    #expect(told(changed, to: 2).map(\.sealed) == [[9]])
    #expect(told(changed, to: 3).map(\.sealed) == [[9]])
  }

  @Test func `of who is not there, or has told none, there is none`() {
    var bench = HubBench.approved(3)
    #expect(told(bench.receives(.askAddresses(PublicID(1)), from: 2), to: 2).map(\.sealed) == [[]])
    #expect(told(bench.receives(.askAddresses(PublicID(77)), from: 2), to: 2).map(\.sealed) == [[]])
    bench.receives(.tellAddresses([1]), from: 1)
    bench.act { $0.closed(1, now: $1, into: &$2) }
    #expect(told(bench.receives(.askAddresses(PublicID(1)), from: 2), to: 2).map(\.sealed) == [[]])
    #expect(bench.receives(.askAddresses(PublicID(2)), from: 2).isEmpty)
  }

  @Test func `who asks or tells without end is not answered, and loses nothing else by it`() {
    var bench = HubBench.approved(2)
    bench.receives(.tellAddresses([1]), from: 1)
    let answers = (0..<5_000).map { _ in
      told(bench.receives(.askAddresses(PublicID(1)), from: 2), to: 2).count
    }
    #expect(answers.reduce(0, +) == 1_000)
    let passed = (0..<500).map { number in
      told(bench.receives(.tellAddresses([UInt8(number % 200)]), from: 1), to: 2).count
    }
    #expect(passed.reduce(0, +) < 20)
    bench.now += .seconds(60)
    // The latest counts.
    #expect(
      told(bench.receives(.askAddresses(PublicID(1)), from: 2), to: 2).map(\.sealed) == [[99]])
  }
}
