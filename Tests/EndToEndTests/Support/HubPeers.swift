import Control
import Hostile
import Protocol
import Sealing

extension RegisteredPeer {
  /// Connects to a hub that is just being started.
  static func whenReady(
    _ hub: HubProcess, identity: DeviceIdentity = DeviceIdentity()
  ) throws -> RegisteredPeer {
    try eventuallySome("the hub listens") {
      try RegisteredPeer(to: hub.address, identity: identity)
    }
  }
}

extension Liar {
  /// Registers at a host's hub, and has its master approve it.
  convenience init(_ fixture: Fixture, of hub: String, approvedBy host: Daemon) throws {
    try self.init(to: hub) { number in
      try eventually("the master has heard of the liar") {
        try host.members().contains { $0.publicID == number.value }
      }
      try fixture.control(host, "approve", "\(number.value)", "--yes").succeeded()
    }
  }
}
