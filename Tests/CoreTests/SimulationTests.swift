import Simulation
import Testing

/// Whole histories of hub, master and members under faults; each is replayed by its seed.
@Suite(.serialized)
struct SimulationTests {
  private static let histories: UInt64 = 100
  private static let liarsHistories: UInt64 = 200

  @Test(arguments: 0..<30 as Range<UInt64>)
  func `no history of a block breaks a rule`(block: UInt64) throws {
    var sum = Statistics()
    for seed in (block * Self.histories)..<((block + 1) * Self.histories) {
      sum += try Simulation.run(Options(seed: seed))
    }
    // A simulation in which nothing happens proves nothing.
    #expect(sum.verifiedReads > 1_000 && sum.acks > 500 && sum.refusals > 100)
    #expect(sum.setBacks > 0 && sum.noticed > 0 && sum.lostRegistries > 0)
    #expect(sum.links > 100 && sum.masterRestarts > 10 && sum.hubRestarts > 10)
    #expect(sum.keptLists > 50)
    expectLines(sum.lines)
  }

  @Test(arguments: 0..<15 as Range<UInt64>)
  func `no history of a block in which members lie breaks a rule`(block: UInt64) throws {
    var sum = Statistics()
    for seed in (block * Self.liarsHistories)..<((block + 1) * Self.liarsHistories) {
      sum += try Simulation.run(Options(seed: seed, liars: .members))
    }
    #expect(sum.lies > 20_000 && sum.liesHeard > 3_000 && sum.liarsRefused > 1_000)
    #expect(sum.verifiedReads > 3_000 && sum.probes > 2_000 && sum.refusals > 100)
    #expect(sum.links > 100 && sum.noticed > 20)
    #expect(sum.masterRestarts > 10 && sum.hubRestarts > 10 && sum.keptLists > 10)
    expectLines(sum.lines)
    #expect(sum.lines.lies > 2_000 && sum.lines.liarsEnded > 300)
  }

  @Test(arguments: 0..<10 as Range<UInt64>)
  func `no history of a block in which the hub lies about the list breaks a rule`(
    block: UInt64
  ) throws {
    var sum = Statistics()
    for seed in (block * Self.histories)..<((block + 1) * Self.histories) {
      sum += try Simulation.run(Options(seed: seed, liars: .hub))
    }
    #expect(sum.hubLies > 1_000 && sum.falseLists > 300)
    #expect(sum.verifiedReads > 1_000 && sum.acks > 500)
    expectLines(sum.lines)
  }

  /// Members do read from each other, and that is not all smooth.
  private func expectLines(_ lines: LineStatistics) {
    #expect(lines.leaves > 300 && lines.requests > 600 && lines.shared > 150)
    #expect(lines.opened > 500 && lines.failedDials > 100 && lines.strangers > 20)
    #expect(lines.cut > 100 && lines.stalled > 100 && lines.moves > 50)
  }

  @Test(arguments: Sabotage.allCases)
  func `a deliberate fault is noticed`(sabotage: Sabotage) {
    let noticed = (0..<20 as Range<UInt64>).contains { seed in
      let options = Options(seed: seed, sabotage: sabotage, liars: sabotage.liars)
      return (try? Simulation.run(options)) == nil
    }
    #expect(noticed)
  }

  @Test(arguments: Liars.allCases)
  func `the same seed gives the same history`(liars: Liars) {
    let options = Options(seed: 42, liars: liars)
    #expect(Simulation.trace(options) == Simulation.trace(options))
  }
}
