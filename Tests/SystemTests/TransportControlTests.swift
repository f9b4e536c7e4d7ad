import System
import Testing
import Transport

@Suite("The control plane", .timeLimit(.minutes(5)))
struct TransportControlTests {
  @Test("carries messages of every size both ways, in order")
  func echo() throws {
    let hub = try TestHub()
    defer { hub.server.stop() }
    let member = try TestLink(hub.address)
    defer { member.link.stop() }
    #expect(member.open())
    let sizes = [
      0, 1, 2, 125, 126, 127, 4095, 4096, 65535, 65536, 65537, 100_000, 131_071, 131_072,
    ]
    let messages = sizes.map { pattern($0, seed: $0) }
    for message in messages { member.link.send(message: message) }
    #expect(member.wait { $0.messages.count == messages.count })
    #expect(hub.seen.withLock { $0.messages == messages })
    #expect(member.seen.withLock { $0.messages == messages })
  }

  @Test("carries thousands of messages of two members at once")
  func interleaved() throws {
    let hub = try TestHub()
    defer { hub.server.stop() }
    let members = [try TestLink(hub.address), try TestLink(hub.address)]
    defer { for member in members { member.link.stop() } }
    for member in members { #expect(member.open()) }
    for number in 0..<5000 {
      for (index, member) in members.enumerated() {
        member.link.send(message: pattern(number % 300 + 1, seed: number * 2 + index))
      }
    }
    for (index, member) in members.enumerated() {
      #expect(member.wait { $0.messages.count == 5000 })
      let isRight = member.seen.withLock { seen in
        seen.messages.enumerated().allSatisfy {
          $1 == pattern($0 % 300 + 1, seed: $0 * 2 + index)
        }
      }
      #expect(isRight)
    }
  }

  @Test(
    "hears of every message, whether its loop is asleep, looks again, or is just about to sleep")
  func wakes() throws {
    // No look at the clocks comes to the rescue.
    var limits = TransportLimits()
    (limits.headTime, limits.connectTime, limits.closeTime) = (
      .seconds(900), .seconds(900), .seconds(900)
    )
    (limits.keepAliveAfter, limits.deadAfter) = (.seconds(900), .seconds(900))
    let hub = try TestHub(limits: limits)
    defer { hub.server.stop() }
    let member = try TestLink(hub.address, limits: limits)
    defer { member.link.stop() }
    #expect(member.open())
    for number in 0..<4_000 {
      let start = MonotonicClock.now
      let gap = Duration.microseconds(number * 7 % 450)
      while MonotonicClock.now - start < gap {}
      member.link.send(message: [UInt8(number % 256)])
      try #require(member.wait { $0.messages.count == number + 1 })
    }
  }

  @Test("assembles a message that came in fragments")
  func fragments() throws {
    let hub = try TestHub { $0.onMessage = { _, _, _ in } }
    defer { hub.server.stop() }
    let peer = try RawPeer(port: hub.server.port)
    #expect(peer.upgrade().hasPrefix("HTTP/1.1 101"))
    peer.sendWebSocket(opcode: 2, final: false, [1, 2])
    peer.sendWebSocket(opcode: 0, final: false, pattern(70_000, seed: 3))
    peer.sendWebSocket(opcode: 0, final: true, [])
    #expect(hub.wait { $0.messages == [[1, 2] + pattern(70_000, seed: 3)] })
  }

  @Test("closes a connection that sends too long a message, and no other")
  func tooLong() throws {
    let hub = try TestHub()
    defer { hub.server.stop() }
    let member = try TestLink(hub.address)
    defer { member.link.stop() }
    #expect(member.open())
    let peer = try RawPeer(port: hub.server.port)
    #expect(peer.upgrade().hasPrefix("HTTP/1.1 101"))
    peer.sendWebSocket(opcode: 2, [UInt8](repeating: 7, count: 131_073))
    #expect(peer.closeCode() == 1009)
    #expect(hub.wait { $0.closed.count == 1 })
    member.link.send(message: [1])
    #expect(member.wait { $0.messages == [[1]] })
  }

  @Test("closes a connection that sends text")
  func text() throws {
    let hub = try TestHub()
    defer { hub.server.stop() }
    let peer = try RawPeer(port: hub.server.port)
    #expect(peer.upgrade().hasPrefix("HTTP/1.1 101"))
    peer.sendWebSocket(opcode: 1, Array("hello".utf8))
    #expect(peer.closeCode() == 1003)
    #expect(hub.wait { $0.closed.count == 1 && $0.messages.isEmpty })
  }

  @Test("sends what is queued before a close, and then its code and reason")
  func closeAfterFlush() throws {
    let hub = try TestHub {
      $0.onMessage = { server, id, _ in
        for number in 0..<100 { server.sendControl(id, pattern(50_000, seed: number)) }
        server.closeControl(id, code: 4001, reason: "displaced")
        server.sendControl(id, [9])
      }
    }
    defer { hub.server.stop() }
    let member = try TestLink(hub.address)
    defer { member.link.stop() }
    #expect(member.open())
    member.link.send(message: [0])
    #expect(member.wait { !$0.failures.isEmpty })
    member.seen.withLock { seen in
      #expect(seen.failures == [.refused(code: 4001, reason: "displaced")])
      let isWhole = seen.messages == (0..<100).map { pattern(50_000, seed: $0) }
      #expect(isWhole)
    }
    #expect(hub.wait { $0.closed == $0.opened })
  }

  @Test("sends what a member queued before it disconnects")
  func flushOnDisconnect() throws {
    let hub = try TestHub { $0.onMessage = { _, _, _ in } }
    defer { hub.server.stop() }
    let member = try TestLink(hub.address)
    defer { member.link.stop() }
    #expect(member.open())
    for number in 0..<100 { member.link.send(message: pattern(50_000, seed: number)) }
    member.link.disconnect()
    #expect(member.wait { $0.failures == [.closed] })
    #expect(hub.wait { $0.closed.count == 1 })
    let expected = (0..<100).map { pattern(50_000, seed: $0) }
    #expect(hub.seen.withLock { $0.messages == expected })
  }

  @Test("closes a member that reads too slowly, and no other")
  func slowPeer() throws {
    var limits = TransportLimits()
    limits.controlQueueBytes = 1 << 20
    let hub = try TestHub(limits: limits) {
      $0.onMessage = { server, id, message in
        if message == [1] { return server.sendControl(id, [1]) }
        for _ in 0..<400 { server.sendControl(id, [UInt8](repeating: 7, count: 131_072)) }
      }
    }
    defer { hub.server.stop() }
    let member = try TestLink(hub.address)
    defer { member.link.stop() }
    #expect(member.open())
    let peer = try RawPeer(port: hub.server.port)
    #expect(peer.upgrade().hasPrefix("HTTP/1.1 101"))
    #expect(hub.wait { $0.opened.count == 2 })
    peer.sendWebSocket(opcode: 2, [2])
    #expect(hub.wait { $0.closed.count == 1 })
    #expect(hub.seen.withLock { $0.closed == [$0.opened[1]] })
    member.link.send(message: [1])
    #expect(member.wait { $0.messages == [[1]] })
  }
}
