import CWebSockets
import Glibc
package import Logging
package import Protocol
package import System

/// A server of HTTP/1.1 and WebSockets, by libwebsockets: what a page in a browser talks to.
///
/// It has a service thread that never waits; what may wait is done by a few others.
// SAFETY: `start`, `stop`, `send`, `close` and `isIdle` are safe from any thread; all other state
// belongs to the service thread.
package final class WebServer: @unchecked Sendable {
  /// The port that is listened on.
  package let port: UInt16
  let loop: ServiceLoop
  let limits: WebLimits
  let log: Logger
  let pool: WorkerPool
  private(set) weak var handler: (any WebHandler)?
  private(set) var listener: ListenSocket?
  var connections: [UInt64: WebConnection] = [:]
  var ofPeer: [PeerOrigin: Int] = [:]
  private var lastID: UInt64 = 0

  /// Binds; nothing is accepted before `start`. `tls`: nil for plain HTTP. Throws an error that
  /// names the address.
  package init(
    name: String, listen: ListenAddress, tls: TLSIdentity?, limits: WebLimits = WebLimits(),
    handler: any WebHandler, log: Logger
  ) throws(SystemError) {
    let listener = try ListenSocket(listen)
    self.listener = listener
    port = listener.port
    self.limits = limits
    self.handler = handler
    self.log = log
    // Threads that wait for a file's owner wait for seconds; others are started beside them.
    pool = try WorkerPool(name: name, threads: 4, queueLimit: 4096, spare: 60)
    var transport = TransportLimits()
    transport.closeTime = .seconds(1)
    loop = ServiceLoop(
      name: name, isServer: true, descriptorLimit: 0, tls: tls.map { .server(ServerTLS($0)) },
      limits: transport, headerBytes: Self.headerBytes)
  }

  /// Bytes of the head of a request: the longest path is 4096, each byte of it three characters.
  private static let headerBytes = 32_768

  /// Starts the service thread. Once.
  package func start() throws(SystemError) { try loop.start(events: self) {} }

  /// Closes every connection and the port, ends the threads; what hangs is left to itself. Once,
  /// from any other thread.
  package func stop() {
    loop.stop()
    listener = nil
    pool.stop(within: .seconds(1))
  }

  /// Sends a text by a WebSocket; one that takes nothing is closed. Any thread.
  package func send(_ text: String, to id: WebSocketID) {
    loop.perform { [self] in
      guard let connection = connections[id], case .socket(let channel) = connection.phase
      else { return }
      guard channel.queuedBytes < limits.socketQueueBytes else { return connection.end() }
      channel.send(text)
    }
  }

  /// Closes a WebSocket. Any thread.
  package func close(_ id: WebSocketID, code: UInt16, _ reason: String) {
    loop.perform { [self] in
      guard case .socket(let channel) = connections[id]?.phase else { return }
      channel.close(code, reason)
    }
  }

  func nextID() -> UInt64 {
    lastID += 1
    return lastID
  }
}
