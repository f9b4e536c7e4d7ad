import Protocol
import System
import Testing
import Transport

@Suite("Connections come and go", .timeLimit(.minutes(5)))
struct TransportLifeTests {
  @Test("a member that vanishes is reported, with its streams")
  func vanishedMember() throws {
    let hub = try TestHub()
    defer { hub.server.stop() }
    do {
      let peer = try RawPeer(port: hub.server.port)
      #expect(peer.upgrade().hasPrefix("HTTP/1.1 101"))
      let down = try RawPeer(port: hub.server.port)
      down.requestBulk("GET /bulk/down", ticket: 1)
      #expect(down.receiveHead().hasPrefix("HTTP/1.1 200"))
      let up = try RawPeer(port: hub.server.port)
      up.requestBulk("POST /bulk/up", ticket: 1, extra: endlessBody)
      #expect(hub.wait { $0.opened.count == 1 && $0.up.count == 1 })
    }
    #expect(hub.wait { $0.closed.count == 1 && $0.bulkClosed.count == 2 })
  }

  @Test("a hub that stops is reported to its members")
  func vanishedHub() throws {
    let hub = try TestHub()
    let member = try TestLink(hub.address)
    defer { member.link.stop() }
    #expect(member.openBulk())
    #expect(hub.wait { $0.up.count == 1 })
    hub.server.stop()
    #expect(member.wait { !$0.failures.isEmpty })
    #expect(hub.seen.withLock { $0.closed.count == 1 && $0.bulkClosed.count == 2 })
  }

  @Test("a lost bulk stream ends the link, and the hub's reason wins")
  func lostStream() throws {
    let hub = try TestHub()
    defer { hub.server.stop() }
    let member = try TestLink(hub.address)
    defer { member.link.stop() }
    #expect(member.openBulk())
    let server = hub.server!
    let (down, control) = hub.seen.withLock { ($0.down[0], $0.opened[0]) }
    server.perform { server.closeBulk(down) }
    #expect(member.wait { $0.failures == [.lost("the hub closed the connection")] })
    #expect(hub.wait { $0.closed == [control] && $0.bulkClosed.count == 2 })

    #expect(member.open())
    let tickets = [UInt8](repeating: 1, count: 32)
    member.link.openBulk(down: tickets, up: tickets)
    #expect(member.wait { $0.bulkReady == 2 })
    let (second, again) = hub.seen.withLock { ($0.down[1], $0.opened[1]) }
    server.perform {
      server.closeBulk(second)
      server.closeControl(again, code: 4002, reason: "disapproved")
    }
    #expect(member.wait { $0.failures.count == 2 })
    let expected = LinkFailure.refused(code: 4002, reason: "disapproved")
    #expect(member.seen.withLock { $0.failures[1] } == expected)
  }

  @Test("a link connects again fifty times, and nothing leaks from one to the next")
  func reconnect() throws {
    let hub = try TestHub()
    defer { hub.server.stop() }
    let member = try TestLink(hub.address)
    defer { member.link.stop() }
    for round in 1...50 {
      let tickets = [UInt8](repeating: 1, count: 32)
      #expect(member.open())
      member.link.openBulk(down: tickets, up: tickets)
      #expect(member.wait { $0.bulkReady == round })
      member.link.send(message: [UInt8(round)])
      #expect(member.wait { $0.messages.count == round && $0.messages.last == [UInt8(round)] })
      member.link.disconnect()
      #expect(member.wait { $0.failures.count == round })
      member.link.send(message: [255])
      member.link.send(frame: frame([255]))
    }
    #expect(hub.wait { $0.closed.count == 50 && $0.bulkClosed.count == 100 })
    #expect(hub.seen.withLock { $0.messages } == (1...50).map { [UInt8($0)] })
    #expect(member.seen.withLock { $0.failures.allSatisfy { $0 == .closed } })
  }

  @Test("stop joins while connections are open and busy")
  func stopWhileBusy() throws {
    let hub = try TestHub()
    let members = try (0..<4).map { _ in try TestLink(hub.address) }
    for member in members {
      #expect(member.openBulk())
      for _ in 0..<100 { member.link.send(frame: frame(pattern(100_000, seed: 1))) }
    }
    #expect(hub.wait { $0.up.count == 4 })
    members[0].link.stop()
    members[1].link.stop()
    #expect(members[0].seen.withLock { $0.failures } == [.closed])
    hub.server.stop()
    #expect(hub.seen.withLock { $0.closed.count == 4 && $0.bulkClosed.count == 8 })
    for member in members[2...] {
      #expect(member.wait { $0.failures.count == 1 })
      member.link.stop()
    }
  }

  @Test("nobody there, and somebody who is no hub, are told apart")
  func failures() throws {
    let port: UInt16
    do {
      let hub = try TestHub()
      port = hub.server.port
      hub.server.stop()
    }
    let alone = try TestLink(HubAddress(host: "127.0.0.1", port: port, secure: false))
    defer { alone.link.stop() }
    alone.link.connect()
    #expect(alone.wait { $0.failures.count == 1 })
    guard case .unreachable = alone.seen.withLock({ $0.failures[0] }) else {
      Issue.record("nobody listens there: \(alone.seen.withLock { $0.failures })")
      return
    }
  }

  @Test("a silent hub is given up", arguments: [false, true])
  func silentHub(_ secure: Bool) throws {
    var limits = TransportLimits()
    limits.connectTime = .milliseconds(100)
    // Listens, but nobody accepts before start.
    let hub = try HubServer(
      listen: ListenAddress(host: "127.0.0.1", port: 0), tls: nil, plain: .loopback,
      handler: NobodyHome(), log: silentLog)
    let address = try HubAddress(host: "127.0.0.1", port: hub.port, secure: secure)
    let member = try TestLink(address, limits: limits)
    defer { member.link.stop() }
    member.link.connect()
    #expect(member.wait { $0.failures.count == 1 })
  }

  @Test("a member that stops answering pings is dropped")
  func silentMember() throws {
    var limits = TransportLimits()
    limits.keepAliveAfter = .milliseconds(20)
    limits.deadAfter = .milliseconds(150)
    let hub = try TestHub(limits: limits)
    defer { hub.server.stop() }
    let peer = try RawPeer(port: hub.server.port)
    #expect(peer.upgrade().hasPrefix("HTTP/1.1 101"))
    #expect(hub.wait { $0.closed.count == 1 })
    // The pings that it did not answer: final frames with opcode 9.
    #expect(peer.receiveAll().starts(with: [0x89, 1]))
  }

  @Test("timers fire on both ends")
  func timers() throws {
    let hub = try TestHub()
    defer { hub.server.stop() }
    let member = try TestLink(hub.address)
    defer { member.link.stop() }
    let server = hub.server!
    let link = member.link!
    server.perform { server.setTimer(after: .milliseconds(1)) }
    link.perform { link.setTimer(after: .milliseconds(1)) }
    #expect(hub.wait { $0.timers == 1 })
    #expect(member.wait { $0.timers == 1 })
  }

  @Test("a port that is taken is a clear error")
  func taken() throws {
    let hub = try TestHub()
    defer { hub.server.stop() }
    let address = ListenAddress(host: "127.0.0.1", port: hub.server.port)
    let error = #expect(throws: SystemError.self) {
      _ = try HubServer(
        listen: address, tls: nil, plain: .loopback, handler: NobodyHome(), log: silentLog)
    }
    #expect(error?.description == "listen on \(address): Address already in use")
  }
}

/// A handler for a hub that nobody reaches.
private final class NobodyHome: HubServerHandler {
  func controlOpened(_ id: ConnectionID, peer: String, isSecure: Bool) {}
  func controlReceived(_ id: ConnectionID, message: [UInt8]) {}
  func controlClosed(_ id: ConnectionID) {}
  func bulkTicket(_ ticket: [UInt8], direction: BulkDirection, id: ConnectionID) -> BulkGrant? {
    nil
  }
  func bulkReceived(_ id: ConnectionID, frame: [UInt8]) {}
  func bulkSent(_ id: ConnectionID, bytes: Int) {}
  func bulkClosed(_ id: ConnectionID) {}
  func timerFired() {}
}
