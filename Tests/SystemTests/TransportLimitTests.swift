import System
import Testing
import Transport

@Suite("Limits of the port", .timeLimit(.minutes(5)))
struct TransportLimitTests {
  /// Far more than an idle thread needs, far less than one that spins, even on a busy machine.
  private let idle = Duration.milliseconds(30)

  private static let hello = clientHello()

  @Test(
    "half and foolish handshakes are dropped in time, and cost nothing meanwhile",
    arguments: [
      [], [0x16], Array(hello.prefix(11)), Array(hello.prefix(100)), hello,
      [0x16, 3, 1, 0x40, 0] + [UInt8](repeating: 0, count: 300),
      clientHello(protocols: ["fsharefs-bulk"]),
    ])
  func halfHandshake(_ start: [UInt8]) throws {
    var limits = TransportLimits()
    limits.headTime = .seconds(2)
    let hub = try TestHub(tls: freshIdentity(), limits: limits)
    defer { hub.server.stop() }
    let peer = try RawPeer(port: hub.server.port)
    peer.send(start)
    let used = try #require(hub.cpuTime(in: .milliseconds(300)))
    #expect(used < idle)
    #expect(peer.isClosed())
    // The peer has closed its half only: the other must not keep the hub busy.
    let silent = try RawPeer(port: hub.server.port)
    silent.send(start)
    silent.endSending()
    let half = try #require(hub.cpuTime(in: .milliseconds(300)))
    #expect(half < idle)
    #expect(silent.isClosed())
  }

  @Test("garbage that looks like TLS is dropped at once")
  func garbage() throws {
    let hub = try TestHub(tls: freshIdentity())
    defer { hub.server.stop() }
    for seed in 0..<50 {
      let peer = try RawPeer(port: hub.server.port)
      peer.send([0x16, 3, 1, 0, 200] + pattern(200 + seed, seed: seed))
      #expect(peer.isClosed())
    }
    let used = try #require(hub.cpuTime(in: .milliseconds(300)))
    #expect(used < idle)
  }

  @Test(
    "a peer that goes quiet after its handshake is dropped in time",
    arguments: ["", "GET /control HTTP/1.1\\r\\nHost: h"])
  func quietAfterHandshake(_ request: String) throws {
    guard try !output(of: "openssl version 2>/dev/null").isEmpty else { return }
    var limits = TransportLimits()
    limits.headTime = .seconds(1)
    let hub = try TestHub(tls: freshIdentity(), limits: limits)
    defer { hub.server.stop() }
    for option in ["", "-alpn fsharefs-bulk"] {
      let seen = try output(
        of: "printf '\(request)' | timeout 10 openssl s_client -ign_eof \(option)"
          + " -connect 127.0.0.1:\(hub.server.port) 2>&1; echo ended with $?")
      #expect(seen.contains("TLSv1.3"))
      #expect(!seen.contains("ended with 124"))
      let used = try #require(hub.cpuTime(in: .milliseconds(300)))
      #expect(used < idle)
    }
  }

  @Test("who sends too many messages is slowed down, and nobody else is")
  func rate() throws {
    var limits = TransportLimits()
    limits.messagesPerSecond = 20
    limits.keepAliveAfter = .milliseconds(400)
    let hub = try TestHub(limits: limits)
    defer { hub.server.stop() }
    let busy = try TestLink(hub.address)
    defer { busy.link.stop() }
    let calm = try TestLink(hub.address)
    defer { calm.link.stop() }
    #expect(busy.open() && calm.open())
    let start = MonotonicClock.now
    for number in 0..<60 { busy.link.send(message: [UInt8(number)]) }
    #expect(busy.wait { $0.messages.count >= 20 })
    calm.link.send(message: [255])
    #expect(calm.wait { $0.messages == [[255]] })
    #expect(busy.seen.withLock { $0.messages.count } <= 21)
    let used = try #require(hub.cpuTime(in: .milliseconds(300)))
    #expect(used < idle)
    #expect(busy.wait { $0.messages.count == 60 })
    #expect(busy.seen.withLock { $0.messages } == (0..<60).map { [UInt8($0)] })
    // 20 at once, and the others at 20 a second.
    #expect(MonotonicClock.now - start >= .milliseconds(1900))
  }

  @Test("a flood of strangers pushes out strangers only")
  func strangers() throws {
    var limits = TransportLimits()
    limits.unregistered = 4
    let hub = try TestHub(limits: limits) {
      $0.onMessage = { server, id, message in
        server.admitted(id)
        server.sendControl(id, message)
      }
    }
    defer { hub.server.stop() }
    let member = try TestLink(hub.address)
    defer { member.link.stop() }
    try #require(member.openBulk())
    try #require(hub.wait { $0.up.count == 1 })
    // The answer shows that the member was admitted before the first stranger comes.
    member.link.send(message: [0])
    try #require(member.wait { $0.messages == [[0]] })
    var strangers: [RawPeer] = []
    for _ in 0..<12 { strangers.append(try RawPeer(port: hub.server.port)) }
    for stranger in strangers.prefix(8) { #expect(stranger.isClosed()) }
    // A known member comes back all the same.
    let other = try TestLink(hub.address)
    defer { other.link.stop() }
    #expect(other.open())
    member.link.send(message: [1])
    #expect(member.wait { $0.messages == [[0], [1]] })
    withExtendedLifetime(strangers) {
      #expect(hub.seen.withLock { $0.closed.isEmpty && $0.bulkClosed.isEmpty })
    }
  }

  @Test("a flood from one address leaves the strangers of others alone")
  func floodFromOneAddress() throws {
    var limits = TransportLimits()
    limits.unregistered = 4
    let hub = try TestHub(limits: limits)
    defer { hub.server.stop() }
    let first = try RawPeer(port: hub.server.port)
    var flood: [RawPeer] = []
    for _ in 0..<12 { flood.append(try RawPeer(port: hub.server.port, from: 2)) }
    for stranger in flood.prefix(9) { #expect(stranger.isClosed()) }
    // Though it was there before all of them.
    #expect(first.upgrade().hasPrefix("HTTP/1.1 101"))
  }
}
