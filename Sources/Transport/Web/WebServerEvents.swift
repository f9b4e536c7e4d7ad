import CWebSockets
import Glibc
import Logging
import System

/// What the service loop reports to a web server.
extension WebServer: ServiceEvents {
  func loopStarted() {
    guard let listener, let descriptor = try? listener.duplicate(),
      loop.adopt(descriptor, as: .poll, id: 0) != nil
    else {
      log.error("the listening socket cannot be polled: no browser can connect")
      return
    }
  }

  func loopWoken() {}
  func loopStopping() {}
  func socketWritable(_ socket: OpaquePointer) -> Int32 { 0 }

  func loopStopped() {
    // libwebsockets has said goodbye to each of them; this is for those that it forgot.
    for id in connections.keys.sorted() { gone(id) }
  }

  func tick(now: Duration) {
    pool.relieve()
    for connection in connections.values {
      let silence = now - connection.heardAt
      switch connection.phase {
      case .idle: if silence >= limits.headTime { connection.end() }
      case .lingering: if silence >= .seconds(2) { connection.end() }
      case .thinking: if hasHungUp(connection) { connection.end() }
      case .receiving: if silence >= limits.idleTime { connection.end() }
      case .answering(let answer):
        if silence >= limits.idleTime || hasHungUp(connection) {
          connection.end()
        } else {
          fetch(connection, answer)
        }
      case .socket(let channel):
        if !channel.check(now: now, time: limits.socketTime) { connection.end() }
      }
    }
  }

  /// libwebsockets does not notice the end of a connection that is being answered.
  private func hasHungUp(_ connection: WebConnection) -> Bool {
    connection.socket.map { SocketEnd.hasHungUp(lws_get_socket_fd($0)) } ?? true
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
    case LWS_CALLBACK_HTTP: return began(connection, socket)
    case LWS_CALLBACK_HTTP_BODY: return bodyCame(connection, socket, input)
    case LWS_CALLBACK_HTTP_BODY_COMPLETION: return bodyEnded(connection)
    case LWS_CALLBACK_HTTP_WRITEABLE: return write(connection, socket)
    case LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION:
      guard let request = WebRequest(socket) else { return -1 }
      return handler?.mayOpenSocket(request) == true ? 0 : -1
    case LWS_CALLBACK_ESTABLISHED:
      connection.phase = .socket(WebSocketChannel(socket: socket, now: MonotonicClock.now))
      handler?.socketOpened(id)
    case LWS_CALLBACK_RECEIVE: return socketCame(connection, input)
    case LWS_CALLBACK_RECEIVE_PONG:
      if case .socket(let channel) = connection.phase { channel.heard(now: MonotonicClock.now) }
    case LWS_CALLBACK_SERVER_WRITEABLE:
      if case .socket(let channel) = connection.phase { return channel.writable() }
    case LWS_CALLBACK_WSI_DESTROY: gone(id)
    default: break
    }
    return 0
  }

  private func acceptWaiting() {
    for _ in 0..<64 {
      guard let descriptor = listener?.accept() else { return }
      let origin = PeerOrigin(peerOf: descriptor)
      guard connections.count < limits.connections,
        ofPeer[origin, default: 0] < limits.connectionsOfPeer
      else {
        _ = OwnedDescriptor(descriptor)
        continue
      }
      ProtocolSniffer.release(descriptor)
      let connection = WebConnection(id: nextID(), from: origin, now: MonotonicClock.now)
      connections[connection.id] = connection
      ofPeer[origin, default: 0] += 1
      connection.socket = loop.adopt(
        descriptor, as: .http(secure: loop.tls != nil), id: connection.id)
      if connection.socket == nil { gone(connection.id) }
    }
  }

  private func socketCame(_ connection: WebConnection, _ input: UnsafeRawBufferPointer) -> Int32 {
    guard case .socket(let channel) = connection.phase else { return -1 }
    do throws(WebSocketChannel.MessageTooLong) {
      let message = try channel.receive(
        input, now: MonotonicClock.now, limit: limits.messageBytes)
      if let message { handler?.socketReceived(connection.id, message) }
      return 0
    } catch { return -1 }
  }

  private func gone(_ id: UInt64) {
    guard let connection = connections.removeValue(forKey: id) else { return }
    connection.socket = nil
    connection.request += 1
    if let count = ofPeer[connection.origin] {
      ofPeer[connection.origin] = count > 1 ? count - 1 : nil
    }
    switch connection.phase {
    case .receiving(let upload): abandon(upload)
    case .answering(let answer): close(answer)
    case .socket: handler?.socketClosed(id)
    case .idle, .thinking, .lingering: break
    }
  }
}
