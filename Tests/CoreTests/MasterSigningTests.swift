import Core
import Protocol
import Testing

/// When the master signs, and what.
struct MasterSigningTests {
  private func signed(_ actions: [MasterAction]) -> [UInt64] {
    actions.compactMap { if case .sign(let order, _, _) = $0 { order.seq } else { nil } }
  }

  private func tick(_ master: inout Master, _ now: Instant) -> [UInt64] {
    var actions: [MasterAction] = []
    master.tick(now: now, into: &actions)
    return signed(actions)
  }

  @Test func `a change behind some quiet is signed at once, and more than one together`() {
    var master = Master(epoch: 1)
    var actions: [MasterAction] = []
    #expect(tick(&master, .zero) == [0])
    func change(_ counter: UInt64, _ now: Instant) {
      master.proposed(
        Proposal(transfer: TransferID(incarnation: 1, counter: counter), oldest: 1, body: []),
        .add([entry(counter, "f\(counter)")], reclaims: false), from: .master, now: now,
        into: &actions)
    }
    change(1, .seconds(1))
    #expect(master.hasUnsigned && tick(&master, .seconds(1)) == [1] && !master.hasUnsigned)
    change(2, .milliseconds(1_001))
    change(3, .milliseconds(1_004))
    #expect(tick(&master, .milliseconds(1_004)).isEmpty)
    #expect(master.nextDeadline == .milliseconds(1_010))
    #expect(tick(&master, .milliseconds(1_010)) == [3])
  }

  @Test func `it writes the highest version that everyone who is in speaks`() {
    var settings = Master.Settings()
    settings.versions = ProtocolVersions(lowest: 2, highest: 3)!
    var master = Master(epoch: 1, settings: settings)
    func record(_ number: UInt32, highest: UInt16) -> ClientRecord {
      ClientRecord(
        publicID: PublicID(number), key: key(UInt8(number)), name: deviceName("\(number)"),
        system: "", versions: ProtocolVersions(lowest: 2, highest: highest)!,
        admission: .waiting, presence: .online)
    }
    var actions: [MasterAction] = []
    master.hubConnected(
      clients: [record(1, highest: 3), record(2, highest: 2)], now: .zero, into: &actions)
    func written(_ now: Instant) -> UInt16? {
      var actions: [MasterAction] = []
      master.tick(now: now, into: &actions)
      return actions.compactMap { if case .sign(_, _, let version) = $0 { version } else { nil } }
        .last
    }
    // Who waits has no say.
    _ = master.approve(PublicID(1), into: &actions)
    #expect(written(.seconds(1)) == 3)
    _ = master.approve(PublicID(2), into: &actions)
    #expect(written(.seconds(2)) == 2)
    _ = master.disapprove(PublicID(2), into: &actions)
    #expect(written(.seconds(3)) == 3)
  }

  @Test func `where nothing changes it signs every half minute`() {
    var master = Master(epoch: 1)
    #expect(tick(&master, .zero) == [0])
    #expect(tick(&master, .milliseconds(29_999)).isEmpty)
    #expect(tick(&master, .seconds(30)) == [0])
  }
}
