package import Logging
package import Protocol
package import System

/// A member's lines to other members: it listens, and it dials. One service thread.
///
/// A line is a TCP connection that begins with a handshake of TLS 1.3 in which both ends show the
/// keys of their devices; behind it come frames that the handler seals. Keeps its handler alive
/// until `stop` returns.
// SAFETY: `dial`, `send`, `close`, `perform`, `start` and `stop` are safe from any thread; all
// other state belongs to the service thread.
package final class DirectPlane: @unchecked Sendable {
  /// The bounds of the plane, with those of the hub's port for strangers.
  package struct Limits: Sendable {
    package var transport = TransportLimits()
    /// Between two addresses of one member that are tried (RFC 8305, section 5).
    package var stagger: Duration = .milliseconds(250)
    /// For one try, over all addresses.
    package var dialTime: Duration = .seconds(10)
    /// A line by which nothing went for so long is closed.
    package var idleTime: Duration = .seconds(300)

    package init() {
      transport.connections = 1_024
    }
  }

  let limits: Limits
  let tls: DeviceTLS
  let rates: BulkRates
  let log: Logger
  let budget: LogBudget
  let loop: ServiceLoop
  /// What the secret of a line is drawn for, and its length.
  let secretLabel: String
  let secretLength: Int
  var handler: (any DirectPlaneHandler)?
  var listener: ListenSocket?
  var lines: [UInt64: DirectLine] = [:]
  var dials: [UInt64: Dial] = [:]
  var strangers = UnauthenticatedConnections()
  var handshakes: Handshakes
  /// Has dials go on, and streams that wait for their rate.
  var timer: ServiceTimer?
  var timerDue: Duration?
  /// Whether members are let in that dial.
  var isOpen = false
  private let lastID = Locked(UInt64(0))
  /// Frames that other threads have given to be sent, in order.
  private let outbox = Locked([(id: UInt64, frame: [UInt8])]())

  /// A plane that does nothing before `start`. `accepts`: whether somebody with this key may be
  /// spoken to, asked on the service thread.
  package init(
    privateKey: [UInt8], secret: (label: String, length: Int), rates: BulkRates,
    limits: Limits = Limits(), handler: any DirectPlaneHandler, log: Logger,
    accepts: @escaping ([UInt8]) -> Bool
  ) {
    self.limits = limits
    self.rates = rates
    self.log = log
    budget = LogBudget(log)
    self.handler = handler
    (secretLabel, secretLength) = secret
    handshakes = Handshakes(perSecond: limits.transport.handshakesPerSecond)
    tls = DeviceTLS(privateKey: privateKey)
    tls.accepts = accepts
    loop = ServiceLoop(
      name: "direct", isServer: true, descriptorLimit: 0, tls: nil, limits: limits.transport)
  }

  /// Binds, where an address is given, and starts the service thread. Once. Returns: the port that
  /// is listened on.
  package func start(listen: ListenAddress?) throws(SystemError) -> UInt16? {
    if let listen { listener = try ListenSocket(listen) }
    try loop.start(events: self) {}
    return listener?.port
  }

  /// Closes every line (the handler is told) and the port, ends and joins the service thread. Once,
  /// from any other thread.
  package func stop() {
    loop.stop()
    listener = nil
    handler = nil
  }

  /// Runs `work` on the service thread; dropped after `stop`. Any thread.
  package func perform(_ work: @escaping @Sendable () -> Void) { loop.perform(work) }

  /// Lets members in that dial, or nobody: then all lines end. Any thread.
  package func open(_ isOpen: Bool, why: String = "") {
    loop.perform { [self] in
      self.isOpen = isOpen
      if isOpen { return }
      dials = [:]
      for line in lines.values { line.end(why) }
    }
  }

  /// Tries to reach whoever has `key` at these addresses: `lineShaken` with this `dial` follows, or
  /// `dialFailed`. Any thread.
  package func dial(_ dial: UInt64, key: [UInt8], targets: [LineTarget]) {
    loop.perform { self.begin(dial, key, targets) }
  }

  /// Sends a frame, which begins with its four length bytes, after those before it. Dropped where
  /// the line is gone. Any thread.
  package func send(_ frame: [UInt8], on id: UInt64) {
    precondition(
      FrameEnvelope.isValid(frame, limit: limits.transport.maxFrame),
      "a frame begins with its true length")
    outbox.withLock { $0.append((id, frame)) }
    loop.wake()
  }

  /// The handler vouches for a line: no flood of strangers pushes it out any more, and it may stay.
  /// Any thread.
  package func admit(_ id: UInt64) {
    loop.perform { [self] in
      lines[id]?.isAdmitted = true
      strangers.remove(id)
    }
  }

  /// Ends a line. Any thread.
  package func close(_ id: UInt64, why: String) {
    loop.perform { self.lines[id]?.end(why) }
  }

  /// The rates of the bulk streams are others now. Any thread.
  package func ratesChanged() { loop.perform { self.goOn() } }

  func takeOutbox() -> [(id: UInt64, frame: [UInt8])] {
    outbox.withLock { box in
      defer { box = [] }
      return box
    }
  }

  func nextID() -> UInt64 {
    lastID.withLock { id in
      id += 1
      return id
    }
  }
}
