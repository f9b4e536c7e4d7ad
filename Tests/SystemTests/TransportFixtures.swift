import Glibc
import Logging
import Protocol
import System
import Transport

/// The longest that a test waits for an event before it fails.
let patience = Duration.seconds(20)

/// A log that nobody reads.
let silentLog = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

/// A hub that writes down what happens and does what the test says.
// SAFETY: `seen` is a monitor; `server` and the closures are set before `start`.
final class TestHub: HubServerHandler, @unchecked Sendable {
  struct Seen {
    var opened: [ConnectionID] = []
    var secure: [Bool] = []
    var closed: [ConnectionID] = []
    var messages: [[UInt8]] = []
    var down: [ConnectionID] = []
    var up: [ConnectionID] = []
    var frames: [[UInt8]] = []
    var frameBytes = 0
    var sentBytes = 0
    var bulkClosed: [ConnectionID] = []
    var timers = 0
  }

  let seen = Monitor(Seen())
  private(set) var server: HubServer!
  private let isSecure: Bool
  var onMessage: (HubServer, ConnectionID, [UInt8]) -> Void = { $0.sendControl($1, $2) }
  var onFrame: ((HubServer, ConnectionID, [UInt8]) -> Void)?
  var onTimer: () -> Void = {}
  var acceptsTicket: ([UInt8]) -> Bool = { $0.first != 0 }
  var tags: (any FrameTags)?

  init(
    tls: TLSIdentity? = nil, plain: PlainPolicy = .loopback, port: UInt16 = 0,
    limits: TransportLimits = TransportLimits(), configure: (TestHub) -> Void = { _ in }
  ) throws {
    isSecure = tls != nil
    server = try HubServer(
      listen: ListenAddress(host: "127.0.0.1", port: port), tls: tls, plain: plain, limits: limits,
      handler: self, log: silentLog)
    configure(self)
    try server.start()
  }

  var address: HubAddress {
    get throws { try HubAddress(host: "127.0.0.1", port: server.port, secure: isSecure) }
  }

  /// Waits until `condition` holds; false when it does not in time.
  func wait(_ condition: (Seen) -> Bool) -> Bool {
    seen.wait(timeout: patience) { condition($0) ? true : nil } ?? false
  }

  func controlOpened(_ id: ConnectionID, peer: String, isSecure: Bool) {
    seen.update { seen in
      seen.opened.append(id)
      seen.secure.append(isSecure)
    }
  }
  func controlReceived(_ id: ConnectionID, message: [UInt8]) {
    seen.update { $0.messages.append(message) }
    onMessage(server, id, message)
  }
  func controlClosed(_ id: ConnectionID) { seen.update { $0.closed.append(id) } }
  func bulkTicket(
    _ ticket: [UInt8], direction: BulkDirection, id: ConnectionID
  ) -> BulkGrant? {
    guard acceptsTicket(ticket) else { return nil }
    seen.update { seen in
      if direction == .down { seen.down.append(id) } else { seen.up.append(id) }
    }
    return BulkGrant(tags: tags)
  }
  func bulkReceived(_ id: ConnectionID, frame: [UInt8]) {
    seen.update { seen in
      seen.frameBytes += frame.count
      if onFrame == nil { seen.frames.append(frame) }
    }
    onFrame?(server, id, frame)
  }
  func bulkSent(_ id: ConnectionID, bytes: Int) { seen.update { $0.sentBytes += bytes } }
  func bulkClosed(_ id: ConnectionID) { seen.update { $0.bulkClosed.append(id) } }
  func timerFired() {
    onTimer()
    seen.update { $0.timers += 1 }
  }
}

/// A member's link that writes down what happens.
// SAFETY: `seen` is a monitor; `link` and the closures are set before `start`.
final class TestLink: HubLinkHandler, @unchecked Sendable {
  struct Seen {
    var opened = 0
    var hubKeys: [Fingerprint?] = []
    var bulkReady = 0
    var failures: [LinkFailure] = []
    var messages: [[UInt8]] = []
    var frames: [[UInt8]] = []
    var frameBytes = 0
    var sentBytes = 0
    var timers = 0
  }

  let seen = Monitor(Seen())
  private(set) var link: HubLink!
  var onFrame: (([UInt8]) -> Void)?

  init(
    _ address: HubAddress, pin: Fingerprint? = nil, tlsBulk: Bool = false,
    limits: TransportLimits = TransportLimits(),
    configure: (TestLink) -> Void = { _ in },
    lookUp: @escaping @Sendable (String) -> HostLookUp = { HostLookUp.ask($0) }
  ) throws {
    link = HubLink(
      address: address, pin: pin, tlsBulk: tlsBulk, limits: limits, handler: self, log: silentLog,
      lookUp: lookUp)
    configure(self)
    try link.start()
  }

  /// Waits until `condition` holds; false when it does not in time.
  func wait(_ condition: (Seen) -> Bool) -> Bool {
    seen.wait(timeout: patience) { condition($0) ? true : nil } ?? false
  }

  /// Connects and waits for the control plane.
  func open() -> Bool {
    let before = seen.withLock { $0.opened }
    link.connect()
    return wait { $0.opened > before }
  }

  /// Connects and waits for the bulk plane too.
  func openBulk(ticket: UInt8 = 1, tags: (any FrameTags)? = nil) -> Bool {
    guard open() else { return false }
    let tickets = [UInt8](repeating: ticket, count: 32)
    link.openBulk(down: tickets, up: tickets, tags: tags.map { ($0, $0) })
    return wait { $0.bulkReady > 0 }
  }

  func linkOpened(hubKey: Fingerprint?, route: String?) {
    seen.update { seen in
      seen.opened += 1
      seen.hubKeys.append(hubKey)
    }
  }
  func linkReceived(message: [UInt8]) { seen.update { $0.messages.append(message) } }
  func linkReceived(frame: [UInt8]) {
    seen.update { seen in
      seen.frameBytes += frame.count
      if onFrame == nil { seen.frames.append(frame) }
    }
    onFrame?(frame)
  }
  func linkBulkReady() { seen.update { $0.bulkReady += 1 } }
  func linkSent(bulkBytes: Int) { seen.update { $0.sentBytes += bulkBytes } }
  func linkClosed(_ failure: LinkFailure) { seen.update { $0.failures.append(failure) } }
  func linkTimerFired() { seen.update { $0.timers += 1 } }
}

/// A frame of the bulk plane with `payload`.
func frame(_ payload: [UInt8]) -> [UInt8] {
  (0..<4).map { UInt8(truncatingIfNeeded: payload.count >> (8 * $0)) } + payload
}

/// `count` bytes that differ for each seed.
func pattern(_ count: Int, seed: Int) -> [UInt8] {
  var state = UInt64(truncatingIfNeeded: seed) &* 0x9e37_79b9_7f4a_7c15 | 1
  return (0..<count).map { _ in
    state = state &* 6_364_136_223_846_793_005 &+ 1
    return UInt8(truncatingIfNeeded: state >> 56)
  }
}
