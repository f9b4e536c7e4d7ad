import Control
import Glibc
import Hostile
import Protocol
import System
import Testing

extension EndToEnd {
  /// A thousand strangers who wait drown nobody.
  @Suite struct Crowd {
    private static let size = 1_000

    @Test func aThousandWaitingClients() throws {
      try withFixture { fixture in
        try allowDescriptors(2_048)
        let hub = try fixture.hub()
        let master = try fixture.master(hub)
        let guest = try fixture.member("guest", of: hub.address, approvedBy: master)
        let alone = try comesIn(guest, hub)
        let before = try residentBytes(hub.process)

        var crowd: [RegisteredPeer] = []
        for _ in 0..<Self.size {
          crowd.append(try RegisteredPeer(to: hub.address).registerAsClient())
          if crowd.count.isMultiple(of: 250) { try showLife(crowd) }
        }
        let grown = try residentBytes(hub.process) - before
        #expect(grown < 20 << 20, "the hub grew by \(grown) bytes")
        try showLife(crowd)

        let among = try comesIn(guest, hub)
        #expect(among < alone + .seconds(2), "\(among), and \(alone) without the crowd")
        try Files.write(guest.path("file"), "through")
        try fixture.waitFor(master.path("file"), "through")
        try showLife(crowd)
        try fixture.control(master, "members", "--json").succeeded()
        #expect(try master.members().count == Self.size + 2)

        // Full: one more is told so, and takes the place of the first that goes.
        let late = try RegisteredPeer(to: hub.address)
        try late.send(.clientRegister(late.registration(asMaster: false)))
        guard case .refused(let refused) = try late.next() else {
          throw NeverHappened(description: "it is let in")
        }
        #expect(refused.code == .tooManyClients)
        try crowd[0].send(.leave)
        #expect(crowd[0].receiveToTheEnd().isEmpty)
        let next = try RegisteredPeer(to: hub.address).registerAsClient()
        #expect(next.publicID.value > crowd[Self.size - 1].publicID.value)
        // Who left is not known any more, and gets a new number where there is room.
        try crowd[1].send(.leave)
        #expect(crowd[1].receiveToTheEnd().isEmpty)
        let again = try RegisteredPeer(to: hub.address, identity: crowd[0].identity)
        #expect(try again.registerAsClient().publicID.value > next.publicID.value)
        #expect(try guest.status().state == .live)
      }
    }

    /// How long a member that is known takes to be in again.
    private func comesIn(_ guest: Daemon, _ hub: HubProcess) throws -> Duration {
      _ = try guest.leave()
      return try timed {
        try guest.start([hub.address])
        try guest.waits(for: .live)
      }.1
    }

    /// Unasked pongs (RFC 6455, 5.5.3): the hub hears that they are there.
    private func showLife(_ crowd: [RegisteredPeer]) throws {
      for peer in crowd { try peer.peer.send([], kind: 10) }
    }

    private func residentBytes(_ process: RunningProcess) throws -> Int {
      let fields = try Files.text("/proc/\(process.pid)/statm").split(separator: " ")
      guard fields.count > 1, let pages = Int(fields[1]) else {
        throw NeverHappened(description: "statm: \(fields)")
      }
      return pages * 4_096
    }

    private func allowDescriptors(_ wanted: rlim_t) throws {
      var limit = rlimit()
      try retryingOnInterrupt("getrlimit") {
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
      }
      limit.rlim_cur = max(limit.rlim_cur, min(wanted, limit.rlim_max))
      try retryingOnInterrupt("setrlimit") {
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
      }
    }
  }
}
