import Control
import Protocol
import Sealing
import State
import System
import Testing

extension EndToEnd {
  /// A key of the group that has been in use for a week is replaced, and nobody notices.
  @Suite struct KeyRenewal {
    @Test func everybodyGoesOnUnderTheNextKey() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        let guest = try fixture.member("guest", of: hub, approvedBy: host)
        let away = try fixture.member("away", of: hub, approvedBy: host)
        let content = Samples.bytes(400_000, seed: 1)
        try Files.write(guest.path("before"), content)
        try fixture.waitFor(away.path("before"))
        #expect(try away.leave() == .exit(0))
        try host.crash()
        let path = host.state + "/vault"
        var vault = try #require(try VaultFile.read(path))
        let generation = try #require(vault.keys.last?.generation)
        vault.madeAt = 1_000
        try vault.write(path)
        try host.start(["--host", "--listen", hub])
        try host.waits(for: .live)
        try eventually("there is another key") {
          try VaultFile.read(path)?.keys.last?.generation == generation + 1
        }
        try guest.waits(for: .live)
        try Files.write(guest.path("behind"), content)
        try fixture.waitFor(host.path("behind"))
        #expect(try Files.read(host.path("behind")) == content)
        #expect(try Files.read(host.path("before")) == content)
        try away.start(["--nowait", hub])
        try away.waits(for: .live)
        #expect(try Files.read(away.path("before")) == content)
        try Files.write(away.path("its own"), "shared")
        try fixture.waitFor(guest.path("its own"), "shared")
        // Once a week is enough.
        #expect(try VaultFile.read(path)?.keys.last?.generation == generation + 1)
      }
    }
  }
}
