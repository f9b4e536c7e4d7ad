package import Logging
package import Protocol
package import System

/// The hub's end of the transport: one port, one service thread, any number of connections.
///
/// Keeps its handler alive until `stop` returns.
// SAFETY: `start`, `stop` and `perform` are safe from any thread; all other state belongs to the
// service thread, which `sendControl` and the like are documented to be called on.
package final class HubServer: @unchecked Sendable {
  /// The port that is listened on.
  package let port: UInt16
  private(set) var limits: TransportLimits
  let log: Logger
  /// The log of what strangers bring about.
  let budget: LogBudget
  let loop: ServiceLoop
  var handler: (any HubServerHandler)?
  var listener: ListenSocket?
  var connections: [ConnectionID: ServerConnection] = [:]
  /// Connections that nobody has vouched for.
  var unregistered = UnauthenticatedConnections()
  var handshakes: Handshakes
  /// Who may have a control plane without TLS.
  let plain: PlainPolicy
  /// Whether TLS is spoken.
  let isSecure: Bool
  private static let lastID = Locked(ConnectionID(0))

  /// Binds; nothing is accepted before `start`. One port takes connections with TLS, if there is an
  /// identity for it, and without: bulk streams always, control planes as `plain` says. Throws
  /// `SystemError` ("listen on 127.0.0.1:7420: Address already in use").
  package init(
    listen: ListenAddress, tls: TLSIdentity?, plain: PlainPolicy,
    limits: TransportLimits = TransportLimits(), handler: any HubServerHandler, log: Logger
  ) throws(SystemError) {
    let listener = try ListenSocket(listen)
    self.listener = listener
    port = listener.port
    self.limits = limits
    handshakes = Handshakes(perSecond: limits.handshakesPerSecond)
    self.handler = handler
    self.log = log
    budget = LogBudget(log)
    self.plain = plain
    isSecure = tls != nil
    loop = ServiceLoop(
      name: "hub", isServer: true, descriptorLimit: 0, tls: tls.map { .server(ServerTLS($0)) },
      limits: limits)
  }

  /// Starts the service thread. Once.
  package func start() throws(SystemError) {
    try loop.start(events: self) { [unowned self] in handler?.timerFired() }
  }

  /// Closes every connection (the handler is told) and the port, ends and joins the service
  /// thread. Once, from any other thread.
  package func stop() {
    loop.stop()
    listener = nil
    handler = nil
  }

  /// Runs `work` on the service thread; dropped after `stop`. Any thread.
  package func perform(_ work: @escaping @Sendable () -> Void) {
    loop.perform(work)
  }

  /// A connection has shown whose it is: no flood of strangers pushes it out any more. Bulk streams
  /// need no call, their ticket shows it. Service thread only. Complexity: O(unregistered).
  package func admitted(_ id: ConnectionID) {
    loop.assertServiceThread()
    unregistered.remove(id)
  }

  /// Queues a message, at most `maxMessage` bytes. A connection whose queue grows beyond its limit
  /// is closed; one that is gone is ignored. Service thread only.
  package func sendControl(_ id: ConnectionID, _ message: [UInt8]) {
    loop.assertServiceThread()
    guard let connection = connections[id], let channel = connection.control else { return }
    let fits = channel.send(message)
    if !fits { drop(connection, "it is too slow: \(limits.controlQueueBytes) bytes are waiting") }
  }

  /// Queues a frame that begins with its four length bytes. Service thread only.
  package func sendBulk(_ id: ConnectionID, _ frame: [UInt8]) {
    loop.assertServiceThread()
    guard let connection = connections[id], let stream = connection.bulk else { return }
    let fits = stream.send(frame)
    if !fits { drop(connection, "it is too slow: \(limits.bulkQueueBytes) bytes are waiting") }
  }

  /// Bytes that wait on a stream; 0 for one that is gone. Service thread only.
  package func bulkQueued(_ id: ConnectionID) -> Int {
    connections[id]?.bulk?.queuedBytes ?? 0
  }

  /// Bytes that wait on a control plane; 0 for one that is gone. Service thread only.
  package func controlQueued(_ id: ConnectionID) -> Int {
    connections[id]?.control?.queuedBytes ?? 0
  }

  /// Reads nothing more of a control plane, or goes on; meanwhile its silence is no sign of death.
  /// Service thread only.
  package func hold(_ id: ConnectionID, _ isHeld: Bool) {
    loop.assertServiceThread()
    guard let connection = connections[id], let channel = connection.control else { return }
    connection.isHeld = isHeld
    letRead(connection, channel.socket)
  }

  /// Sends what is queued, then a close frame (RFC 6455: `code` 1000 or 4000...4999; `reason` at
  /// most 123 bytes, cut if longer). Nothing is received any more. Service thread only.
  package func closeControl(_ id: ConnectionID, code: UInt16, reason: String) {
    loop.assertServiceThread()
    connections[id]?.control?.close(code: code, reason: reason, now: MonotonicClock.now)
  }

  /// Ends a stream; what is queued is dropped. Service thread only.
  package func closeBulk(_ id: ConnectionID) {
    loop.assertServiceThread()
    guard let connection = connections[id], connection.bulk != nil else { return }
    connection.end()
  }

  /// How many connections there are. Service thread only.
  package var connectionCount: Int { connections.count }

  /// How many of them nobody has vouched for. Service thread only.
  package var strangerCount: Int { unregistered.count }

  /// Goes on with other limits, for connections that come from now on. Service thread only.
  package func use(_ limits: TransportLimits) {
    loop.assertServiceThread()
    self.limits = limits
  }

  /// Shows another certificate of the same key to whoever connects from now on. Returns: false for
  /// one of another key, and where no TLS is spoken. Service thread only.
  package func use(_ identity: TLSIdentity) -> Bool {
    loop.assertServiceThread()
    guard case .server(let tls) = loop.tls else { return false }
    return tls.use(identity)
  }

  /// Sets the server's one timer; nil cancels. Service thread only.
  package func setTimer(after delay: Duration?) {
    loop.setTimer(after: delay)
  }

  func nextID() -> ConnectionID {
    HubServer.lastID.withLock { id in
      id += 1
      return id
    }
  }

  /// Closes a connection for a fault of its peer.
  func drop(_ connection: ServerConnection, _ reason: String) {
    let peer = connection.socket.map(peerAddress) ?? goneAddress
    budget.log(.warning, "closed connections", "closing a connection of \(peer): \(reason)")
    connection.end()
  }
}
