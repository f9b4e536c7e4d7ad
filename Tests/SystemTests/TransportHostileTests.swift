import System
import Testing
import Transport

@Suite("UnauthenticatedConnections on the port", .timeLimit(.minutes(5)))
struct TransportHostileTests {
  @Test("garbage hurts nobody")
  func garbage() throws {
    let hub = try TestHub()
    defer { hub.server.stop() }
    let member = try TestLink(hub.address)
    defer { member.link.stop() }
    #expect(member.openBulk())
    for seed in 0..<50 {
      let peer = try RawPeer(port: hub.server.port)
      peer.send(pattern(1 + seed * 401, seed: seed))
    }
    member.link.send(message: [1])
    #expect(member.wait { $0.messages == [[1]] })
    #expect(hub.seen.withLock { $0.opened.count == 1 && $0.bulkClosed.isEmpty })
  }

  @Test("a slow head is dropped in time, and nobody else")
  func slowHead() throws {
    var limits = TransportLimits()
    limits.headTime = .milliseconds(50)
    let hub = try TestHub(limits: limits)
    defer { hub.server.stop() }
    let member = try TestLink(hub.address)
    defer { member.link.stop() }
    #expect(member.open())
    let silent = try RawPeer(port: hub.server.port)
    let slow = try RawPeer(port: hub.server.port)
    slow.send("GET /control HTTP/1.1\r\nHost: ")
    #expect(silent.isClosed())
    #expect(slow.isClosed())
    member.link.send(message: [1])
    #expect(member.wait { $0.messages == [[1]] })
  }

  @Test(
    "a WebSocket to another path or of another protocol is refused",
    arguments: [
      ("/", "fsharefs"), ("/control/", "fsharefs"), ("/control", "chat"),
      ("/control", "fsharefs-bulk"), ("/control", "http"),
    ])
  func wrongUpgrade(_ path: String, _ subprotocol: String) throws {
    let hub = try TestHub()
    defer { hub.server.stop() }
    let peer = try RawPeer(port: hub.server.port)
    #expect(!peer.upgrade(path: path, subprotocol: subprotocol).hasPrefix("HTTP/1.1 101"))
    #expect(peer.isClosed())
    #expect(hub.seen.withLock { $0.opened.isEmpty })
  }

  @Test("more connections than allowed are closed at once")
  func tooMany() throws {
    var limits = TransportLimits()
    limits.connections = 3
    let hub = try TestHub(limits: limits)
    defer { hub.server.stop() }
    let members = try (0..<3).map { _ in try RawPeer(port: hub.server.port) }
    for peer in members { #expect(peer.upgrade().hasPrefix("HTTP/1.1 101")) }
    let fourth = try RawPeer(port: hub.server.port)
    #expect(fourth.isClosed())
    // An optimised build would let go of the three, and so close them, before the fourth is there.
    withExtendedLifetime(members) {
      #expect(hub.seen.withLock { $0.opened.count == 3 && $0.closed.isEmpty })
    }
  }
}
