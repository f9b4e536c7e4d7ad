import CWebSockets
import Logging
import System

/// What the service loop reports to a server.
extension HubServer: ServiceEvents {
  func loopStarted() {
    guard let listener, let descriptor = try? listener.duplicate() else {
      log.error("the listening socket cannot be duplicated: nobody can connect")
      return
    }
    if loop.adopt(listener: descriptor) == nil {
      log.error("the listening socket cannot be polled: nobody can connect")
    }
  }

  func loopWoken() {}

  func loopStopping() {
    for connection in connections.values { connection.role = .ending }
  }

  func loopStopped() {
    // libwebsockets has said goodbye to each of them; this is for those that it forgot.
    for id in connections.keys.sorted() { gone(id) }
  }

  func tick(now: Duration) {
    for connection in connections.values {
      switch connection.role {
      case .fresh:
        if now - connection.since >= limits.headTime { connection.end() }
      case .control(let channel):
        if channel.check(now: now) == .dead { drop(connection, "it is silent") }
      case .bulk(let stream, .down):
        stream.keepAlive(now: now)
      case .bulk(let stream, .up):
        if stream.isSilent(now: now) { drop(connection, "its bulk stream is silent") }
      case .refused, .ending:
        break
      }
    }
  }

  func socketEvent(
    _ socket: OpaquePointer, _ reason: lws_callback_reasons, _ input: UnsafeRawBufferPointer
  ) -> Int32 {
    if reason == LWS_CALLBACK_RAW_RX_FILE { return acceptWaiting() }
    let id = tag(of: socket)
    guard id != 0, let connection = connections[id] else { return 0 }
    switch reason {
    case LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION: return isControlRequest(socket) ? 0 : -1
    case LWS_CALLBACK_ESTABLISHED: return openControl(connection, socket)
    case LWS_CALLBACK_RECEIVE: return receiveControl(connection, input)
    case LWS_CALLBACK_RECEIVE_PONG: connection.control?.heard(now: MonotonicClock.now)
    case LWS_CALLBACK_SERVER_WRITEABLE: return writeControl(connection)
    case LWS_CALLBACK_HTTP: return openHTTP(connection, socket, path: input)
    case LWS_CALLBACK_HTTP_BODY: return receiveBulk(connection, input)
    case LWS_CALLBACK_HTTP_WRITEABLE: return writeHTTP(connection, socket)
    case LWS_CALLBACK_WSI_DESTROY: gone(id)
    default: break
    }
    return 0
  }

  private func acceptWaiting() -> Int32 {
    // A bound, so that a flood of connections does not starve those that are there.
    for _ in 0..<64 {
      guard let descriptor = listener?.accept() else { return 0 }
      guard connections.count < limits.connections else {
        _ = OwnedDescriptor(descriptor)
        continue
      }
      let connection = ServerConnection(id: nextID(), now: MonotonicClock.now)
      connections[connection.id] = connection
      connection.socket = loop.adopt(connection: descriptor, id: connection.id)
      if connection.socket == nil { connections[connection.id] = nil }
    }
    return 0
  }

  private func gone(_ id: ConnectionID) {
    guard let connection = connections.removeValue(forKey: id) else { return }
    connection.role = .ending
    connection.socket = nil
    switch connection.farewell {
    case .control: handler?.controlClosed(id)
    case .bulk: handler?.bulkClosed(id)
    case nil: break
    }
  }
}

/// The control plane.
extension HubServer {
  private func isControlRequest(_ socket: OpaquePointer) -> Bool {
    HTTPRequest(socket).getPath == Array("/control".utf8) && loop.isControl(socket)
  }

  private func openControl(_ connection: ServerConnection, _ socket: OpaquePointer) -> Int32 {
    guard case .fresh = connection.role else { return -1 }
    connection.role = .control(
      ControlChannel(socket: socket, limits: limits, now: MonotonicClock.now))
    connection.farewell = .control
    handler?.controlOpened(connection.id, peer: peerAddress(socket))
    return 0
  }

  private func receiveControl(
    _ connection: ServerConnection, _ input: UnsafeRawBufferPointer
  ) -> Int32 {
    guard let channel = connection.control else { return -1 }
    switch channel.receive(input, now: MonotonicClock.now) {
    case .part: return 0
    case .message(let message):
      handler?.controlReceived(connection.id, message: message)
      return 0
    case .violation(let code, let reason):
      log.warning("closing a connection of \(peerAddress(channel.socket)): \(reason)")
      channel.announceClose(code, reason)
      connection.role = .ending
      return -1
    }
  }

  private func writeControl(_ connection: ServerConnection) -> Int32 {
    guard let channel = connection.control else { return -1 }
    return channel.writable(loop.scratch)
  }
}

/// The bulk plane.
extension HubServer {
  private func openHTTP(
    _ connection: ServerConnection, _ socket: OpaquePointer, path: UnsafeRawBufferPointer
  ) -> Int32 {
    guard case .fresh = connection.role else { return -1 }
    // This module's clocks watch the connection from here on.
    lws_set_timeout(socket, NO_PENDING_TIMEOUT, 0)
    let request = HTTPRequest(socket)
    let direction: BulkDirection
    if request.isGet, path.elementsEqual("/bulk/down".utf8) {
      direction = .down
    } else if request.isPost, path.elementsEqual("/bulk/up".utf8) {
      direction = .up
    } else {
      return refuse(connection, socket, "404 Not Found")
    }
    let accepted = request.ticket.map {
      handler?.bulkTicket($0, direction: direction, id: connection.id) ?? false
    }
    guard accepted == true else { return refuse(connection, socket, "403 Forbidden") }
    let stream = BulkStream(
      socket: socket, head: direction == .down ? HTTPResponse.stream : nil, limits: limits,
      now: MonotonicClock.now)
    connection.role = .bulk(stream, direction)
    connection.farewell = .bulk
    return 0
  }

  private func refuse(
    _ connection: ServerConnection, _ socket: OpaquePointer, _ status: String
  ) -> Int32 {
    log.info("refusing a request of \(peerAddress(socket)): \(status)")
    connection.role = .refused(response: HTTPResponse.refusal(status))
    lws_callback_on_writable(socket)
    return 0
  }

  private func receiveBulk(
    _ connection: ServerConnection, _ input: UnsafeRawBufferPointer
  ) -> Int32 {
    // What follows a refused head is read and forgotten: closing at once could reset the
    // connection before the refusal was read.
    if case .refused = connection.role { return 0 }
    guard case .bulk(let stream, .up) = connection.role else { return -1 }
    do throws(FrameAssembler.BadLength) {
      try stream.receive(input, now: MonotonicClock.now) { frame in
        guard connection.bulk != nil else { return }
        handler?.bulkReceived(connection.id, frame: frame)
      }
      return connection.bulk == nil ? -1 : 0
    } catch {
      log.warning("closing a bulk stream: a frame cannot have \(error.length) bytes")
      connection.role = .ending
      return -1
    }
  }

  private func writeHTTP(_ connection: ServerConnection, _ socket: OpaquePointer) -> Int32 {
    switch connection.role {
    case .refused(let response):
      connection.role = .ending
      _ = loop.scratch.write([response], to: socket, as: LWS_WRITE_HTTP)
      return -1
    case .bulk(let stream, _):
      guard let sent = stream.writable(loop.scratch, now: MonotonicClock.now) else { return -1 }
      if sent > 0 { handler?.bulkSent(connection.id, bytes: sent) }
      return 0
    case .fresh, .control, .ending:
      return -1
    }
  }
}
