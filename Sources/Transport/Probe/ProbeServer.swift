import CWebSockets
import Glibc
import Logging
package import Protocol
package import System

/// Answers who asks how a program does, over HTTP/1.1, on a port of its own: one request a
/// connection, a few connections, a short head, a short while.
///
/// It has a service thread of its own, so that it still answers where others hang.
// SAFETY: `start` and `stop` are safe from any thread; all other state belongs to the service
// thread.
package final class ProbeServer: @unchecked Sendable {
  /// Answers a path; nil where there is nothing at it. Called on the server's thread, must not
  /// wait.
  package typealias Handler = @Sendable (_ path: String) -> ProbeAnswer?

  /// The bounds of a probe server.
  package struct Limits: Sendable {
    /// Connections at a time; those that come beyond are closed at once.
    package var connections = 16
    /// From the first byte of a connection to the last.
    package var time = Duration.seconds(10)

    /// The limits of the product.
    package init() {}
  }

  private final class Connection {
    enum Role {
      case reading(HeadReader)
      case writing([UInt8])
      /// Answered: closing on what was not read yet would take the answer back.
      case lingering
    }

    let since: Duration
    var role = Role.reading(HeadReader())
    var socket: OpaquePointer?

    init(since: Duration) { self.since = since }
  }

  /// The port that is listened on.
  package let port: UInt16
  private let loop: ServiceLoop
  private let limits: Limits
  private let handler: Handler
  private var listener: ListenSocket?
  private var connections: [UInt64: Connection] = [:]
  private var lastID: UInt64 = 0

  /// Binds; nothing is accepted before `start`. Throws an error that names the address.
  package init(
    listen: ListenAddress, limits: Limits = Limits(), handler: @escaping Handler
  ) throws(SystemError) {
    let listener = try ListenSocket(listen)
    self.listener = listener
    port = listener.port
    self.limits = limits
    self.handler = handler
    var transport = TransportLimits()
    transport.headTime = limits.time
    loop = ServiceLoop(
      name: "probes", isServer: true, descriptorLimit: 0, tls: nil, limits: transport)
  }

  /// Starts the service thread. Once.
  package func start() throws(SystemError) {
    try loop.start(events: self) {}
  }

  /// Closes every connection and the port, ends the thread. Once, from any other thread.
  package func stop() {
    loop.stop()
    listener = nil
  }
}

extension ProbeServer: ServiceEvents {
  func loopStarted() {
    guard let listener, let descriptor = try? listener.duplicate() else { return }
    _ = loop.adopt(descriptor, as: .poll, id: 0)
  }

  func loopWoken() {}
  func loopStopping() {}
  func loopStopped() { connections = [:] }
  func socketWritable(_ socket: OpaquePointer) -> Int32 { 0 }

  func tick(now: Duration) {
    for connection in connections.values where now - connection.since >= limits.time {
      if let socket = connection.socket { kill(socket) }
    }
  }

  func socketEvent(
    _ socket: OpaquePointer, _ reason: lws_callback_reasons, _ input: UnsafeRawBufferPointer
  ) -> Int32 {
    let id = tag(of: socket)
    if id == 0 {
      if reason == LWS_CALLBACK_RAW_RX_FILE { acceptWaiting() }
      return 0
    }
    guard let connection = connections[id] else { return 0 }
    switch reason {
    case LWS_CALLBACK_RAW_RX: receive(connection, socket, input)
    case LWS_CALLBACK_RAW_WRITEABLE: return write(connection, socket)
    case LWS_CALLBACK_WSI_DESTROY: connections[id] = nil
    default: break
    }
    return 0
  }

  private func acceptWaiting() {
    for _ in 0..<limits.connections {
      guard let descriptor = listener?.accept() else { return }
      guard connections.count < limits.connections else {
        _ = OwnedDescriptor(descriptor)
        continue
      }
      ProtocolSniffer.release(descriptor)
      lastID += 1
      let connection = Connection(since: MonotonicClock.now)
      connections[lastID] = connection
      connection.socket = loop.adopt(descriptor, as: .raw(secure: false), id: lastID)
      if connection.socket == nil { connections[lastID] = nil }
    }
  }

  private func receive(
    _ connection: Connection, _ socket: OpaquePointer, _ input: UnsafeRawBufferPointer
  ) {
    guard case .reading(var head) = connection.role else { return }
    // The clock of this server watches it.
    lws_set_timeout(socket, NO_PENDING_TIMEOUT, 0)
    let progress = head.feed(input)
    switch progress {
    case .part:
      connection.role = .reading(head)
      return
    case .tooLong:
      let answer = ProbeAnswer(
        status: "431 Request Header Fields Too Large", text: "too long a request")
      connection.role = .writing(answer.response(isHead: false))
    case .complete(let lines, _):
      connection.role = .writing(response(to: ProbeRequest(lines: lines)))
    }
    lws_callback_on_writable(socket)
  }

  private func response(to request: ProbeRequest?) -> [UInt8] {
    guard let request else {
      return ProbeAnswer(status: "400 Bad Request", text: "no request of HTTP/1.1")
        .response(isHead: false)
    }
    let isHead = request.method == "HEAD"
    guard isHead || request.method == "GET" else {
      return ProbeAnswer(status: "405 Method Not Allowed", text: "GET or HEAD")
        .response(isHead: false)
    }
    let answer =
      handler(request.path)
      ?? ProbeAnswer(status: "404 Not Found", text: "there are /healthz and /metrics")
    return answer.response(isHead: isHead)
  }

  /// Writes as much as the kernel takes: an answer may be longer than what it takes at once.
  private func write(_ connection: Connection, _ socket: OpaquePointer) -> Int32 {
    guard case .writing(let rest) = connection.role else { return 0 }
    let piece = Array(rest.prefix(Self.piece))
    guard loop.scratch.write([piece], to: socket, as: LWS_WRITE_HTTP) else { return -1 }
    let left = Array(rest.dropFirst(piece.count))
    if left.isEmpty {
      shutdown(lws_get_socket_fd(socket), Int32(SHUT_WR))
      connection.role = .lingering
    } else {
      connection.role = .writing(left)
      lws_callback_on_writable(socket)
    }
    return 0
  }

  /// Bytes that are written at once: libwebsockets keeps what the kernel does not take.
  private static let piece = 65_536
}
