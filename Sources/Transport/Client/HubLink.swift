import DequeModule
package import Logging
package import Protocol
package import System

/// A member's end of the transport: one hub, one service thread, one connection at a time.
///
/// Keeps its handler alive until `stop` returns.
// SAFETY: what other threads reach is under `outbox` or inside the loop; all other state belongs
// to the service thread.
package final class HubLink: @unchecked Sendable {
  /// What other threads have given to be sent, in order.
  struct Outbox {
    var isOpen = false
    var messages: Deque<[UInt8]> = []
    var frames: Deque<[UInt8]> = []
    var messageBytes = 0
    var frameBytes = 0
  }

  let address: HubAddress
  /// Other addresses of the hub, numeric: tried behind those of its name. Whoever is met there and
  /// is not the hub is only somebody else.
  let also: [String]
  /// By which address the hub was reached in an earlier run: tried first.
  let lastRoute: String?
  /// Whether the bulk streams are under TLS.
  let tlsBulk: Bool
  /// What handshakes need; nil without TLS.
  let tls: ClientTLS?
  /// The only TLS key that the hub may have; nil until one was seen. Service thread only.
  var pin: Fingerprint?
  let limits: TransportLimits
  let log: Logger
  let loop: ServiceLoop
  let outbox = Locked(Outbox())
  var handler: (any HubLinkHandler)?
  var session: LinkSession?
  var lastID: UInt64 = 0
  /// Asks for the addresses of a name; blocks.
  let lookUp: @Sendable (String) -> HostLookUp
  /// Whether a thread asks for the hub's name. Service thread only, as the next.
  var isLookingUp = false
  /// How often an address did not answer at all.
  var silentRoutes = 0
  /// How fast the bulk streams may be.
  let rates: BulkRates
  /// Has streams go on that wait for their rate, and when it will.
  var rateTimer: ServiceTimer?
  var rateDue: Duration?

  /// A link that is not connected. Under TLS only a hub with the key `pin` is spoken to; with nil
  /// the first one's key becomes the pin. `tlsBulk` has the bulk streams use TLS too, if the
  /// control plane does. `lookUp` asks for the addresses of a name.
  package init(
    address: HubAddress, also: [String] = [], lastRoute: String? = nil, pin: Fingerprint?,
    tlsBulk: Bool, rates: BulkRates = BulkRates(),
    limits: TransportLimits = TransportLimits(),
    handler: any HubLinkHandler, log: Logger,
    lookUp: @escaping @Sendable (String) -> HostLookUp = { HostLookUp.ask($0) }
  ) {
    self.lookUp = lookUp
    self.rates = rates
    self.address = address
    self.also = also.compactMap(HostLookUp.numeric)
    self.lastRoute = lastRoute
    self.pin = pin
    self.tlsBulk = tlsBulk && address.secure
    self.limits = limits
    self.handler = handler
    self.log = log
    // Three sockets, and what libwebsockets needs for itself.
    tls = address.secure ? ClientTLS() : nil
    loop = ServiceLoop(
      name: "link", isServer: false, descriptorLimit: 32, tls: tls.map { .client($0) },
      limits: limits)
    tls?.accepts = { [unowned self] in trusts($0) }
  }

  /// Starts the service thread. Once.
  package func start() throws(SystemError) {
    try loop.start(events: self) { [unowned self] in handler?.linkTimerFired() }
  }

  /// Closes the connection (the handler is told), ends and joins the service thread. Once, from
  /// any other thread.
  package func stop() {
    loop.stop()
    handler = nil
  }

  /// Runs `work` on the service thread; dropped after `stop`. Any thread.
  package func perform(_ work: @escaping @Sendable () -> Void) {
    loop.perform(work)
  }

  /// Connects; `linkOpened` or `linkClosed` follows. Ignored while there is a connection. Names are
  /// looked up on a thread of their own, which nothing waits for. Any thread.
  package func connect() {
    loop.perform { self.begin() }
  }

  /// Opens both bulk streams with their 32-byte tickets; `linkBulkReady` follows. `tags`: of their
  /// frames; only a hub on this machine may give none. Once for each connection. Any thread.
  package func openBulk(
    down: [UInt8], up: [UInt8], tags: (down: any FrameTags, up: any FrameTags)? = nil
  ) {
    precondition(
      down.count == Ticket.length && up.count == Ticket.length, "a ticket has 32 bytes")
    loop.perform { self.beginBulk(LinkSession.Tickets(down: down, up: up, tags: tags)) }
  }

  /// Sends a message of at most `maxMessage` bytes, after those before it. Dropped when there is
  /// no connection. Any thread.
  package func send(message: [UInt8]) {
    precondition(message.count <= limits.maxMessage, "a control message is within its limit")
    let accepted = outbox.withLock { box in
      guard box.isOpen, box.messageBytes <= limits.controlQueueBytes else { return false }
      box.messages.append(message)
      box.messageBytes += message.count
      return true
    }
    if accepted { loop.wake() }
  }

  /// Sends a frame, which begins with its four length bytes, after those before it. Dropped when
  /// there is no up stream. Any thread.
  package func send(frame: [UInt8]) {
    precondition(
      FrameEnvelope.isValid(frame, limit: limits.maxFrame), "a frame begins with its true length")
    let accepted = outbox.withLock { box in
      guard box.isOpen, box.frameBytes <= limits.bulkQueueBytes else { return false }
      box.frames.append(frame)
      box.frameBytes += frame.count
      return true
    }
    if accepted { loop.wake() }
  }

  /// Sends what is queued on the control plane, then closes: `linkClosed(.closed)` follows. Any
  /// thread.
  package func disconnect() {
    loop.perform { self.endPolitely() }
  }

  /// Closes the connection at once, if there is one: `linkClosed(.lost)` follows, with the reason
  /// given. Any thread.
  package func drop(_ why: String) {
    loop.perform { self.end(.lost(why)) }
  }

  /// Bytes of frames that wait on the up stream. Service thread only.
  package var bulkQueued: Int {
    (session?.up?.queuedBytes ?? 0) + outbox.withLock { $0.frameBytes }
  }

  /// Sets the link's one timer; nil cancels. Service thread only.
  package func setTimer(after delay: Duration?) {
    loop.setTimer(after: delay)
  }

  /// Whether a hub with this key is spoken to. Service thread only.
  private func trusts(_ seen: Fingerprint) -> Bool {
    guard let session else { return false }
    if let pin, pin != seen {
      session.mistrust =
        isElsewhere(session)
        ? .unreachable("\(session.route ?? "") is another hub's address")
        : .untrusted(expected: pin, seen: seen)
      return false
    }
    session.hubKey = seen
    return true
  }

  func nextID() -> UInt64 {
    lastID += 1
    return lastID
  }
}
