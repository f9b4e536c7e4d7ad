import System
import Testing
import Transport

@Suite("The bulk plane", .timeLimit(.minutes(5)))
struct TransportBulkTests {
  /// 128 MiB each way: more than every buffer on the way together.
  private let count = 1024

  @Test("carries frames both ways at once, whole and in order")
  func bothWays() throws {
    let content = (0..<16).map { frame(pattern(131_072 - $0, seed: $0)) }
    let hub = try TestHub { hub in
      // Not the hub itself: it owns the closure.
      let seen = hub.seen
      var next = 0
      hub.onFrame = { server, _, received in
        let isRight = received == content[next % 16]
        #expect(isRight)
        next += 1
        let down = seen.withLock { $0.down[0] }
        server.sendBulk(down, received)
      }
    }
    defer { hub.server.stop() }
    let member = try TestLink(hub.address) {
      var next = 0
      $0.onFrame = { received in
        let isRight = received == content[next % 16]
        #expect(isRight)
        next += 1
      }
    }
    defer { member.link.stop() }
    #expect(member.openBulk())
    for number in 0..<count { member.link.send(frame: content[number % 16]) }
    let total = (0..<count).reduce(0) { $0 + content[$1 % 16].count }
    #expect(member.wait { $0.frameBytes == total })
    #expect(member.wait { $0.sentBytes == total })
    #expect(hub.wait { $0.sentBytes == total && $0.frameBytes == total })
  }

  /// Sums that anybody could make: what matters here is where they stand and in which order.
  private struct PlainTags: FrameTags {
    let secret: UInt64
    func tag(of frame: [UInt8], number: UInt64) -> [UInt8] {
      let sum = frame.reduce(secret &+ number) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
      return (0..<16).map { UInt8(truncatingIfNeeded: sum >> UInt64($0 % 8 * 8)) }
    }
  }

  @Test("marks frames of all sizes, and takes the marks off again")
  func markedFrames() throws {
    let tags = PlainTags(secret: 7)
    let hub = try TestHub { $0.tags = tags }
    defer { hub.server.stop() }
    let member = try TestLink(hub.address)
    defer { member.link.stop() }
    #expect(member.openBulk(tags: tags))
    let frames = (0..<400).map { frame(pattern(1 + $0 * 7919 % 131_000, seed: $0)) }
    for frame in frames { member.link.send(frame: frame) }
    #expect(hub.wait { $0.frames.count == frames.count })
    #expect(hub.seen.withLock { $0.frames == frames })
    let down = hub.seen.withLock { $0.down[0] }
    hub.server.perform { for frame in frames { hub.server.sendBulk(down, frame) } }
    let total = frames.reduce(0) { $0 + $1.count }
    #expect(member.wait { $0.frameBytes == total })
  }

  @Test("ends a stream whose marks are another's, at either end")
  func falseMarks() throws {
    let hub = try TestHub { $0.tags = PlainTags(secret: 7) }
    defer { hub.server.stop() }
    let member = try TestLink(hub.address)
    defer { member.link.stop() }
    #expect(member.openBulk(tags: PlainTags(secret: 8)))
    member.link.send(frame: frame(pattern(1_000, seed: 1)))
    #expect(hub.wait { $0.bulkClosed.count == 1 })
    #expect(hub.seen.withLock { $0.frames.isEmpty })
  }

  @Test("gathers small frames without mixing them up")
  func smallFrames() throws {
    let hub = try TestHub()
    defer { hub.server.stop() }
    let member = try TestLink(hub.address)
    defer { member.link.stop() }
    #expect(member.openBulk())
    let frames = (0..<5000).map { frame(pattern(1 + $0 * 7 % 20_000, seed: $0)) }
    for frame in frames { member.link.send(frame: frame) }
    #expect(hub.wait { $0.frames.count == frames.count })
    #expect(hub.seen.withLock { $0.frames == frames })
  }

  @Test("can be read and fed by any HTTP client")
  func plainHTTP() throws {
    let hub = try TestHub()
    defer { hub.server.stop() }
    let reader = try RawPeer(port: hub.server.port)
    reader.requestBulk("GET /bulk/down", ticket: 0xab)
    let head = reader.receiveHead()
    #expect(head.hasPrefix("HTTP/1.1 200 OK\r\n"))
    #expect(head.contains("Content-Type: application/octet-stream\r\n"))
    #expect(!head.contains("chunked") && !head.contains("Content-Length"))
    let server = hub.server!
    let down = hub.seen.withLock { $0.down[0] }
    server.perform { server.sendBulk(down, frame([1, 2, 3])) }
    #expect(reader.receive { $0.count >= 7 } == frame([1, 2, 3]))

    let writer = try RawPeer(port: hub.server.port)
    writer.requestBulk("POST /bulk/up", ticket: 1, extra: endlessBody)
    // Byte by byte, so that every place in a frame is a place where a read may end.
    for byte in frame([5, 6]) + frame([0]) + frame([7]) { writer.send([byte]) }
    #expect(hub.wait { $0.frames == [frame([5, 6]), frame([7])] })
  }

  @Test(
    "refuses a bad ticket with 403 and an unknown path with 404",
    arguments: [
      ("GET /bulk/down", 0, "", "403"), ("POST /bulk/up", 0, endlessBody, "403"),
      ("GET /bulk/up", 1, "", "404"), ("GET /", 1, "", "404"), ("GET /control", 1, "", "404"),
    ] as [(String, UInt8, String, String)])
  func refusals(_ line: String, _ ticket: UInt8, _ extra: String, _ status: String) throws {
    let hub = try TestHub()
    defer { hub.server.stop() }
    let peer = try RawPeer(port: hub.server.port)
    peer.requestBulk(line, ticket: ticket, extra: extra)
    #expect(peer.receiveHead().hasPrefix("HTTP/1.1 \(status) "))
    #expect(peer.isClosed())
  }

  @Test("refuses a request without a ticket")
  func noTicket() throws {
    let hub = try TestHub()
    defer { hub.server.stop() }
    let peer = try RawPeer(port: hub.server.port)
    peer.send("GET /bulk/down HTTP/1.1\r\nHost: hub\r\n\r\n")
    #expect(peer.receiveHead().hasPrefix("HTTP/1.1 403 "))
  }

  @Test("tells a member that its ticket was refused")
  func refusedLink() throws {
    let hub = try TestHub()
    defer { hub.server.stop() }
    let member = try TestLink(hub.address)
    defer { member.link.stop() }
    #expect(member.open())
    member.link.openBulk(
      down: [UInt8](repeating: 0, count: 32), up: [UInt8](repeating: 0, count: 32))
    #expect(member.wait { !$0.failures.isEmpty })
    let expected = LinkFailure.refused(code: 403, reason: "HTTP/1.1 403 Forbidden")
    #expect(member.seen.withLock { $0.failures } == [expected])
  }

  @Test(
    "closes a stream whose frames have impossible lengths",
    arguments: [
      [0, 0, 0, 0], [0xff, 0xff, 0xff, 0xff], [1, 1, 2, 0],
    ] as [[UInt8]])
  func badLength(_ length: [UInt8]) throws {
    let hub = try TestHub()
    defer { hub.server.stop() }
    let peer = try RawPeer(port: hub.server.port)
    peer.requestBulk("POST /bulk/up", ticket: 1, extra: endlessBody)
    peer.send(frame([1]) + length)
    #expect(hub.wait { $0.bulkClosed.count == 1 && $0.frames == [frame([1])] })
    #expect(peer.isClosed())
  }

  @Test("sends keep-alives both ways that no handler sees")
  func keepAlives() throws {
    var limits = TransportLimits()
    limits.keepAliveAfter = .milliseconds(20)
    limits.deadAfter = .milliseconds(500)
    let hub = try TestHub(limits: limits)
    defer { hub.server.stop() }
    let peer = try RawPeer(port: hub.server.port)
    peer.requestBulk("GET /bulk/down", ticket: 1)
    #expect(peer.receiveHead().hasPrefix("HTTP/1.1 200"))
    #expect(peer.receive { $0.count >= 10 }.prefix(10) == [1, 0, 0, 0, 0, 1, 0, 0, 0, 0])

    let member = try TestLink(hub.address, limits: limits)
    defer { member.link.stop() }
    #expect(member.openBulk())
    // Several times the deadline: without keep-alives each side would have given up.
    let server = hub.server!
    server.perform { server.setTimer(after: .milliseconds(1500)) }
    #expect(hub.wait { $0.timers == 1 })
    #expect(member.seen.withLock { $0.failures } == [])
    #expect(member.seen.withLock { $0.frames } == [])
    #expect(hub.seen.withLock { $0.frames } == [])
  }

  @Test("closes an up stream that says nothing")
  func silentUp() throws {
    var limits = TransportLimits()
    limits.deadAfter = .milliseconds(100)
    let hub = try TestHub(limits: limits)
    defer { hub.server.stop() }
    let peer = try RawPeer(port: hub.server.port)
    peer.requestBulk("POST /bulk/up", ticket: 1, extra: endlessBody)
    #expect(hub.wait { $0.bulkClosed.count == 1 })
    #expect(peer.isClosed())
  }

  @Test("closes a stream beyond its guard")
  func overflow() throws {
    var limits = TransportLimits()
    limits.bulkQueueBytes = 1 << 20
    let hub = try TestHub(limits: limits)
    defer { hub.server.stop() }
    let peer = try RawPeer(port: hub.server.port)
    peer.requestBulk("GET /bulk/down", ticket: 1)
    #expect(peer.receiveHead().hasPrefix("HTTP/1.1 200"))
    let server = hub.server!
    let down = hub.seen.withLock { $0.down[0] }
    let big = frame([UInt8](repeating: 7, count: 131_072))
    server.perform { for _ in 0..<400 { server.sendBulk(down, big) } }
    #expect(hub.wait { $0.bulkClosed == [down] })
  }
}
