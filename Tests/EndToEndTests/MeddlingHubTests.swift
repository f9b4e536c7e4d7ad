import Control
import Glibc
import System
import Testing

extension Adversity {
  /// Whatever a hub does to leaves, no program reads a wrong byte.
  @Suite struct MeddlingHub {
    private static let size = 3 * 128 * 1024 + 1_000

    /// A file that a guest sees through a hub that follows `orders`.
    private func scene(
      _ fixture: Fixture, _ orders: Meddler.Orders
    ) throws -> (host: Daemon, guest: Daemon) {
      let (host, hub) = try fixture.host()
      let wire = try Wire(fixture, to: hub) { Meddler(orders) }
      let guest = try fixture.member(
        "guest", of: "ws://" + wire.address, approvedBy: host, ["-o", "timeout=5"])
      try Files.write(host.path("file"), Samples.bytes(Self.size, seed: 1))
      try fixture.waitFor(guest.path("file"))
      return (host, guest)
    }

    @Test(arguments: Meddler.Deed.allCases)
    func nothingWrongIsEverRead(deed: Meddler.Deed) throws {
      try withFixture { fixture in
        let orders = Meddler.Orders()
        let (host, guest) = try scene(fixture, orders)
        if deed == .replay {
          #expect(try Files.read(guest.path("file")) == Samples.bytes(Self.size, seed: 1))
          try Files.write(host.path("file"), Samples.bytes(Self.size, seed: 2))
          try eventually("the new version is there") {
            try Files.open(guest.path("file"), O_RDONLY) >= 0
              && host.status().seq == guest.status().seq
          }
        } else {
          // Something to take content from.
          try Files.write(host.path("other"), Samples.bytes(Self.size, seed: 3))
          try fixture.waitFor(guest.path("other"))
          _ = try Files.read(guest.path("other"))
        }
        let seed: UInt64 = deed == .replay ? 2 : 1
        orders.order(deed)
        let code = Files.errorOf { _ = try Files.read(guest.path("file")) }
        #expect(deed == .lie ? [EIO, ETIMEDOUT].contains(code) : code == EIO)
        #expect(orders.done > 0)
        if deed != .lie {
          let log = try Files.text(guest.log)
          #expect(log.contains("could not be opened") && log.contains("path=file"))
          #expect(log.contains("owner=0"))
        }
        orders.order(nil)
        try eventually("it can be read again") {
          try Files.read(guest.path("file")) == Samples.bytes(Self.size, seed: seed)
        }
      }
    }

    /// A leaf that was spoilt once is fetched again past the hub's cache, and nobody notices.
    @Test(arguments: [Meddler.Deed.flip, .swap, .truncate])
    func aLeafThatWasSpoiltOnceIsFetchedAgain(deed: Meddler.Deed) throws {
      try withFixture { fixture in
        let orders = Meddler.Orders()
        let (_, guest) = try scene(fixture, orders)
        orders.order(deed, leaves: 1)
        #expect(try Files.read(guest.path("file")) == Samples.bytes(Self.size, seed: 1))
        #expect(orders.done == 1)
      }
    }
  }
}
