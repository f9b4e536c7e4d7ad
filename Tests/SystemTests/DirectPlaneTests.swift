import Protocol
import Sealing
import System
import Testing
import Transport

/// Lines between members, without a group.
@Suite(.timeLimit(.minutes(5))) struct DirectPlaneTests {
  /// A member's end that writes down what happens.
  // SAFETY: `seen` is a monitor; `plane` and `port` are set in `init`, before anything happens.
  private final class End: DirectPlaneHandler, @unchecked Sendable {
    struct Seen {
      var shaken: [(id: UInt64, peer: [UInt8], secret: [UInt8], dial: UInt64?)] = []
      var frames: [[UInt8]] = []
      var sent = 0
      var closed: [String] = []
      var failed: [(dial: UInt64, why: String)] = []
    }

    let identity = DeviceIdentity()
    let seen = Monitor(Seen())
    private(set) var plane: DirectPlane!
    private(set) var port: UInt16 = 0

    init(knowing keys: Locked<[[UInt8]]>, _ limits: DirectPlane.Limits = .init()) throws {
      plane = DirectPlane(
        privateKey: identity.signingSeed, secret: ("EXPORTER-test", 32), rates: BulkRates(),
        limits: limits, handler: self, log: silentLog
      ) { key in keys.withLock { $0.contains(key) } }
      port = try #require(try plane.start(listen: ListenAddress(host: "127.0.0.1", port: 0)))
      plane.open(true)
    }

    var key: [UInt8] { identity.key.signing }
    var place: LineTarget { LineTarget(host: "127.0.0.1", port: port) }

    func wait(_ what: String, _ isSo: (Seen) -> Bool) {
      let value: Bool? = seen.wait(timeout: patience) { isSo($0) ? true : nil }
      #expect(value == true, "\(what)")
    }

    func lineShaken(
      _ id: UInt64, peer: [UInt8], secret: [UInt8], address: String, dial: UInt64?
    ) -> Bool {
      plane.admit(id)
      seen.update { $0.shaken.append((id, peer, secret, dial)) }
      return true
    }

    func lineHeard(_ id: UInt64, rest: Duration) {}

    func lineReceived(_ id: UInt64, frame: consuming [UInt8]) -> Bool {
      let frame = frame
      seen.update { $0.frames.append(frame) }
      return frame.count > 5
    }

    func lineSent(_ id: UInt64, bytes: Int) { seen.update { $0.sent += bytes } }
    func lineClosed(_ id: UInt64, why: String) { seen.update { $0.closed.append(why) } }
    func dialFailed(_ dial: UInt64, why: String) { seen.update { $0.failed.append((dial, why)) } }
  }

  /// Ends that know each other, and are stopped at the end.
  private func withEnds(
    _ limits: DirectPlane.Limits = .init(), _ body: (End, End) throws -> Void
  ) throws {
    let keys = Locked<[[UInt8]]>([])
    let one = try End(knowing: keys, limits)
    defer { one.plane.stop() }
    let other = try End(knowing: keys, limits)
    defer { other.plane.stop() }
    keys.withLock { $0 = [one.key, other.key] }
    try body(one, other)
  }

  @Test func `both ends know each other and a secret, and frames go both ways in order`() throws {
    try withEnds { one, other in
      one.plane.dial(5, key: other.key, targets: [other.place])
      one.wait("it is shaken") { !$0.shaken.isEmpty }
      other.wait("there too") { !$0.shaken.isEmpty }
      let (here, there) = (one.seen.withLock { $0.shaken[0] }, other.seen.withLock { $0.shaken[0] })
      #expect(here.peer == other.key && there.peer == one.key)
      #expect(here.secret == there.secret && here.secret.count == 32)
      #expect(here.dial == 5 && there.dial == nil)
      // Small ones, which are gathered, and whole leaves.
      let frames = (0..<200).map { frame(pattern($0 % 25 == 0 ? 131_072 : $0 + 10, seed: $0)) }
      let bytes = frames.reduce(0) { $0 + $1.count }
      for frame in frames {
        one.plane.send(frame, on: here.id)
        other.plane.send(frame, on: there.id)
      }
      for end in [one, other] {
        // What only shows life counts as sent, too.
        end.wait("all came, and went") { $0.frames.count == frames.count && $0.sent >= bytes }
        #expect(end.seen.withLock { $0.frames == frames })
      }
      other.plane.close(there.id, why: "enough")
      one.wait("it is gone") { $0.closed.count == 1 }
      #expect(one.seen.withLock { $0.failed }.isEmpty)
    }
  }

  @Test func `the address that answers as who is wanted is taken, somebody else's is not`() throws {
    let keys = Locked<[[UInt8]]>([])
    let ends = try (0..<3).map { _ in try End(knowing: keys) }
    defer { for end in ends { end.plane.stop() } }
    keys.withLock { $0 = ends.map(\.key) }
    // Nobody listens there; another service; another member; the one that is wanted.
    let hub = try TestHub()
    defer { hub.server.stop() }
    let places = [
      LineTarget(host: "127.0.0.1", port: 1),
      LineTarget(host: "127.0.0.1", port: try hub.address.port),
      ends[2].place, ends[1].place,
    ]
    ends[0].plane.dial(1, key: ends[1].key, targets: places)
    ends[0].wait("it is found") { !$0.shaken.isEmpty }
    #expect(ends[0].seen.withLock { $0.shaken.map(\.peer) } == [ends[1].key])
    ends[0].plane.dial(2, key: ends[1].key, targets: [places[0], places[2]])
    ends[0].wait("nobody is") { !$0.failed.isEmpty }
    let failed = ends[0].seen.withLock { $0.failed[0] }
    #expect(failed.dial == 2 && failed.why.contains("somebody else"), "\(failed.why)")
  }

  @Test func `who is not in has no line, whoever dials`() throws {
    let (all, none) = (Locked<[[UInt8]]>([]), Locked<[[UInt8]]>([]))
    let member = try End(knowing: none)
    defer { member.plane.stop() }
    let stranger = try End(knowing: all)
    defer { stranger.plane.stop() }
    all.withLock { $0 = [member.key, stranger.key] }
    stranger.plane.dial(1, key: member.key, targets: [member.place])
    // Its own handshake is complete before it hears that nobody wants it.
    stranger.wait("it is refused") { !$0.closed.isEmpty || !$0.failed.isEmpty }
    member.plane.dial(2, key: stranger.key, targets: [stranger.place])
    member.wait("nor does it go there") { !$0.failed.isEmpty }
    #expect(member.seen.withLock { $0.shaken.isEmpty && $0.frames.isEmpty })
    member.plane.open(false, why: "out")
  }

  @Test func `garbage, silence and a frame that is none end that connection alone`() throws {
    var limits = DirectPlane.Limits()
    limits.transport.headTime = .milliseconds(300)
    try withEnds(limits) { one, other in
      for garbage in [[UInt8](repeating: 0, count: 400), Array("GET / HTTP/1.1\r\n\r\n".utf8), []] {
        let peer = try RawPeer(port: other.port)
        peer.send(garbage)
        #expect(peer.isClosed())
      }
      one.plane.dial(1, key: other.key, targets: [other.place])
      one.wait("a member comes in all the same") { !$0.shaken.isEmpty }
      other.wait("there too") { !$0.shaken.isEmpty }
      // Refused by the handler, as everything is that breaks the protocol.
      one.plane.send(frame([9]), on: one.seen.withLock { $0.shaken[0].id })
      other.wait("it ends") { !$0.closed.isEmpty }
      #expect(other.seen.withLock { $0.closed }.first?.contains("breaks the protocol") == true)
    }
  }
}
