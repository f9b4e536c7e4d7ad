import Protocol
import System
import Testing
import Transport

@Suite("TLS", .timeLimit(.minutes(5)))
struct TransportTLSTests {
  @Test(
    "carries the control plane, and beside it plain bulk streams or ones under TLS",
    arguments: [false, true])
  func bothPlanes(_ tlsBulk: Bool) throws {
    let identity = try freshIdentity()
    let content = (0..<16).map { frame(pattern(131_072 - $0, seed: $0)) }
    let hub = try TestHub(tls: identity) { hub in
      let seen = hub.seen
      hub.onFrame = { server, _, received in server.sendBulk(seen.withLock { $0.down[0] }, received)
      }
    }
    defer { hub.server.stop() }
    let member = try TestLink(hub.address, pin: identity.fingerprint, tlsBulk: tlsBulk)
    defer { member.link.stop() }
    try #require(member.openBulk())
    #expect(member.seen.withLock { $0.hubKeys } == [identity.fingerprint])
    #expect(hub.seen.withLock { $0.secure } == [true])
    let messages = [0, 1, 126, 65_536, 131_072].map { pattern($0, seed: $0) }
    for message in messages { member.link.send(message: message) }
    for number in 0..<256 { member.link.send(frame: content[number % 16]) }
    #expect(member.wait { $0.frames.count == 256 && $0.messages.count == messages.count })
    let isRight = member.seen.withLock { seen in
      seen.messages == messages
        && seen.frames.indices.allSatisfy { seen.frames[$0] == content[$0 % 16] }
    }
    #expect(isRight)
    #expect(member.seen.withLock { $0.failures } == [])
  }

  @Test("a hub with another key is not spoken to")
  func wrongPin() throws {
    let identity = try freshIdentity()
    let expected = try freshIdentity().fingerprint
    let hub = try TestHub(tls: identity)
    defer { hub.server.stop() }
    let member = try TestLink(hub.address, pin: expected)
    defer { member.link.stop() }
    member.link.connect()
    #expect(member.wait { !$0.failures.isEmpty })
    let failure = LinkFailure.untrusted(expected: expected, seen: identity.fingerprint)
    #expect(member.seen.withLock { $0.failures } == [failure])
    #expect(member.seen.withLock { $0.opened } == 0)
    #expect(
      "\(failure)".contains("\(expected)") && "\(failure)".contains("\(identity.fingerprint)"))
    #expect(hub.seen.withLock { $0.opened.isEmpty })
  }

  @Test("without a pin the first key is remembered, and another one later is refused")
  func firstKeyIsPinned() throws {
    let first = try freshIdentity()
    let second = try freshIdentity()
    let hub = try TestHub(tls: first)
    let port = hub.server.port
    let member = try TestLink(hub.address)
    defer { member.link.stop() }
    #expect(member.open())
    #expect(member.seen.withLock { $0.hubKeys } == [first.fingerprint])
    hub.server.stop()
    #expect(member.wait { $0.failures.count == 1 })
    let other = try TestHub(tls: second, port: port)
    defer { other.server.stop() }
    member.link.connect()
    #expect(member.wait { $0.failures.count == 2 })
    let failure = LinkFailure.untrusted(expected: first.fingerprint, seen: second.fingerprint)
    #expect(member.seen.withLock { $0.failures[1] } == failure)
  }

  @Test("connects again and again under TLS")
  func reconnect() throws {
    let identity = try freshIdentity()
    let hub = try TestHub(tls: identity)
    defer { hub.server.stop() }
    let member = try TestLink(hub.address, tlsBulk: true)
    defer { member.link.stop() }
    for round in 1...20 {
      let tickets = [UInt8](repeating: 1, count: 32)
      try #require(member.open())
      member.link.openBulk(down: tickets, up: tickets)
      try #require(member.wait { $0.bulkReady == round })
      member.link.send(message: [UInt8(round)])
      member.link.send(frame: frame([UInt8(round)]))
      #expect(member.wait { $0.messages.count == round })
      member.link.disconnect()
      #expect(member.wait { $0.failures.count == round })
    }
    #expect(hub.wait { $0.closed.count == 20 && $0.bulkClosed.count == 40 })
    #expect(member.seen.withLock { $0.failures.allSatisfy { $0 == .closed } })
  }

  @Test("a member of the own machine may do without, and others are told what to do")
  func plainPolicy() throws {
    let identity = try freshIdentity()
    for policy in [PlainPolicy.loopback, .nobody] {
      let hub = try TestHub(tls: identity, plain: policy)
      defer { hub.server.stop() }
      let plain = try HubAddress(host: "127.0.0.1", port: hub.server.port, secure: false)
      let member = try TestLink(plain)
      defer { member.link.stop() }
      if policy == .loopback {
        #expect(member.openBulk())
        #expect(hub.seen.withLock { $0.secure } == [false])
        continue
      }
      member.link.connect()
      #expect(member.wait { !$0.failures.isEmpty })
      guard case .refused(426, let reason) = member.seen.withLock({ $0.failures[0] }) else {
        Issue.record("\(member.seen.withLock { $0.failures })")
        return
      }
      #expect(reason.contains("wss://\(plain)"))
      let peer = try RawPeer(port: hub.server.port)
      #expect(peer.upgrade().hasPrefix("HTTP/1.1 426 Upgrade Required"))
      #expect(peer.isClosed())
      // Bulk streams carry what is sealed: they are always taken.
      let reader = try RawPeer(port: hub.server.port)
      reader.requestBulk("GET /bulk/down", ticket: 1)
      #expect(reader.receiveHead().hasPrefix("HTTP/1.1 200"))
    }
  }

  @Test("a hub without TLS and a member that wants it part at once")
  func noTLS() throws {
    let hub = try TestHub()
    defer { hub.server.stop() }
    let secure = try HubAddress(host: "127.0.0.1", port: hub.server.port, secure: true)
    let member = try TestLink(secure)
    defer { member.link.stop() }
    member.link.connect()
    #expect(member.wait { !$0.failures.isEmpty })
    #expect(member.seen.withLock { $0.opened } == 0)
  }

  @Test("takes nothing older than TLS 1.3, and resumes nothing")
  func versions() throws {
    guard try !output(of: "openssl version 2>/dev/null").isEmpty else { return }
    let hub = try TestHub(tls: freshIdentity())
    defer { hub.server.stop() }
    let client = "timeout 10 openssl s_client -connect 127.0.0.1:\(hub.server.port)"
    #expect(try output(of: "\(client) -tls1_2 </dev/null 2>&1").contains("Cipher is (NONE)"))
    let modern = try output(
      of: "printf 'GET / HTTP/1.1\\r\\n\\r\\n' | \(client) -ign_eof 2>&1")
    #expect(modern.contains("TLSv1.3"))
    #expect(modern.contains("HTTP/1.1 404"))
    #expect(!modern.contains("Session Ticket arrived"))
  }
}
