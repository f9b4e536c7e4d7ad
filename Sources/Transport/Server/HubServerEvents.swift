import CWebSockets
import Logging
import Protocol
import System

/// What the service loop reports to a server.
extension HubServer: ServiceEvents {
  func loopStarted() {
    guard let listener, let descriptor = try? listener.duplicate(),
      loop.adopt(descriptor, as: .poll, id: 0) != nil
    else {
      log.error("the listening socket cannot be polled: nobody can connect")
      return
    }
  }

  func loopWoken() {}

  func socketWritable(_ socket: OpaquePointer) -> Int32 {
    guard let connection = connections[tag(of: socket)] else { return 0 }
    switch connection.role {
    case .control: return writeControl(connection)
    case .bulk: return writeBulk(connection, socket)
    default: return 0
    }
  }

  func loopStopping() {
    for connection in connections.values { connection.role = .ending }
  }

  func loopStopped() {
    // libwebsockets has said goodbye to each of them; this is for those that it forgot.
    for id in connections.keys.sorted() { gone(id) }
  }

  func tick(now: Duration) {
    budget.tick(now: now)
    for connection in connections.values {
      switch connection.role {
      case .fresh, .hello, .http, .bulkHead:
        if now - connection.since >= limits.headTime { connection.end() }
      case .lingering(let deadline):
        if now >= deadline { connection.end() }
      case .control(let channel):
        if connection.isPaused, connection.rate.isFull(now: now) {
          connection.isPaused = false
          letRead(connection, channel.socket)
        }
        if connection.isUnread {
          // libwebsockets does not look at what it may not read, and would be told for ever that
          // the other end is gone.
          if SocketEnd.hasHungUp(lws_get_socket_fd(channel.socket)) {
            connection.end()
            continue
          }
          if let since = connection.chokedSince, now - since >= limits.deadAfter {
            drop(connection, "it takes nothing")
            continue
          }
          // What it says is not heard because it is not read.
          channel.heard(now: now)
        }
        if channel.check(now: now) == .dead { drop(connection, "it is silent") }
      case .bulk(let stream, .down):
        if connection.isUnread, SocketEnd.hasHungUp(lws_get_socket_fd(stream.socket)) {
          connection.end()
          continue
        }
        stream.keepAlive(now: now)
      case .bulk(let stream, .up):
        if stream.isSilent(now: now) { drop(connection, "its bulk stream is silent") }
      case .ending:
        // libwebsockets waits up to a minute for a peer's close frame or close_notify.
        let deadline = connection.endsAt ?? now + limits.closeTime
        connection.endsAt = deadline
        if now >= deadline { connection.end() }
      case .refused:
        break
      }
    }
  }

  func socketEvent(
    _ socket: OpaquePointer, _ reason: lws_callback_reasons, _ input: UnsafeRawBufferPointer
  ) -> Int32 {
    let id = tag(of: socket)
    if id == 0 { return reason == LWS_CALLBACK_RAW_RX_FILE ? acceptWaiting() : 0 }
    guard let connection = connections[id] else { return 0 }
    switch reason {
    case LWS_CALLBACK_RAW_RX_FILE: return greet(connection, socket)
    case LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION: return isControlRequest(socket) ? 0 : -1
    case LWS_CALLBACK_ESTABLISHED: return openControl(connection, socket)
    case LWS_CALLBACK_RECEIVE: return receiveControl(connection, input)
    case LWS_CALLBACK_RECEIVE_PONG: connection.control?.heard(now: MonotonicClock.now)
    case LWS_CALLBACK_SERVER_WRITEABLE: return writeControl(connection)
    case LWS_CALLBACK_HTTP: return refuse(connection, socket, "404 Not Found")
    case LWS_CALLBACK_HTTP_WRITEABLE: return writeRefusal(connection, socket)
    case LWS_CALLBACK_RAW_RX: return receiveRaw(connection, socket, input)
    case LWS_CALLBACK_RAW_WRITEABLE: return writeBulk(connection, socket)
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
      let origin = PeerOrigin(peerOf: descriptor)
      makeRoom(for: origin)
      let connection = ServerConnection(
        id: nextID(), from: origin, limits: limits, now: MonotonicClock.now)
      connections[connection.id] = connection
      unregistered.add(connection.id, from: origin)
      connection.socket = loop.adopt(descriptor, as: .poll, id: connection.id)
      if connection.socket == nil { gone(connection.id) }
    }
    return 0
  }

  private func makeRoom(for origin: PeerOrigin) {
    while unregistered.count >= limits.unregistered,
      let id = unregistered.giveWay(to: origin)
    {
      // Not a warning: a flood would write the log full.
      log.debug("\(limits.unregistered) strangers are connected: one of them gives way")
      connections[id]?.end()
    }
  }

  /// Looks at the first bytes of a connection. Those of the bulk plane are passed to libwebsockets
  /// as plain sockets: its HTTP server does not notice the end of a connection that is being
  /// answered, and spins on it instead.
  private func greet(_ connection: ServerConnection, _ socket: OpaquePointer) -> Int32 {
    let isAgain: Bool
    switch connection.role {
    case .fresh: isAgain = false
    case .hello: isAgain = true
    default: return -1
    }
    let original = lws_get_socket_fd(socket)
    switch ProtocolSniffer.look(at: original, again: isAgain) {
    case .part:
      connection.role = .hello
      return 0
    case .useless: return -1
    case .known(let sniffed):
      guard isSecure || !sniffed.isSecure, mayBegin(connection, sniffed),
        let copy = ProtocolSniffer.copy(original)
      else { return -1 }
      // The polled descriptor is done with: its end is not the connection's.
      forgetTag(of: socket)
      begin(connection, sniffed, copy)
      return -1
    }
  }

  /// Whether one more handshake of its address may cost something now.
  private func mayBegin(_ connection: ServerConnection, _ sniffed: ProtocolSniffer) -> Bool {
    guard sniffed.isSecure, !handshakes.take(connection.origin, now: MonotonicClock.now) else {
      return true
    }
    let limit = limits.handshakesPerSecond
    budget.log(
      .warning, "too many handshakes",
      "closing a connection: its address begins more than \(limit) TLS handshakes a second")
    return false
  }

  private func begin(
    _ connection: ServerConnection, _ sniffed: ProtocolSniffer, _ descriptor: Int32
  ) {
    connection.isSecure = sniffed.isSecure
    let isWelcome =
      sniffed.isSecure || sniffed.isBulk
      || plain.allows(connection.socket.map(peerAddress) ?? "")
    let isRaw = sniffed.isBulk || !isWelcome
    connection.role = isRaw ? .bulkHead(HeadReader()) : .http
    connection.socket = loop.adopt(
      descriptor, as: isRaw ? .raw(secure: sniffed.isSecure) : .http(secure: sniffed.isSecure),
      id: connection.id)
    guard let adopted = connection.socket else { return gone(connection.id) }
    if !isWelcome { _ = refuse(connection, adopted, "426 Upgrade Required") }
  }

  private func gone(_ id: ConnectionID) {
    guard let connection = connections.removeValue(forKey: id) else { return }
    admitted(id)
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
    var path = [CChar](repeating: 0, count: 16)
    let count = lws_hdr_copy(socket, &path, Int32(path.count), WSI_TOKEN_GET_URI)
    let expected = "/control".utf8CString.dropLast()
    return count > 0 && path.prefix(Int(count)).elementsEqual(expected) && loop.isControl(socket)
  }

  private func openControl(_ connection: ServerConnection, _ socket: OpaquePointer) -> Int32 {
    guard case .http = connection.role else { return -1 }
    connection.role = .control(
      ControlChannel(socket: socket, on: loop, limits: limits, now: MonotonicClock.now))
    connection.farewell = .control
    handler?.controlOpened(
      connection.id, peer: peerAddress(socket), isSecure: connection.isSecure)
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
      limitRate(connection, channel)
      return 0
    case .violation(let code, let reason):
      budget.log(
        .warning, "broken protocol",
        "closing a connection of \(peerAddress(channel.socket)): \(reason)")
      channel.announceClose(code, reason)
      connection.role = .ending
      return -1
    }
  }

  private func limitRate(_ connection: ServerConnection, _ channel: ControlChannel) {
    guard !connection.rate.take(now: MonotonicClock.now), !connection.isPaused else { return }
    connection.isPaused = true
    log.debug("\(peerAddress(channel.socket)) sends too fast, and is not read for a while")
    letRead(connection, channel.socket)
  }

  /// Reads a connection or not, as what it has sent and takes allows.
  func letRead(_ connection: ServerConnection, _ socket: OpaquePointer) {
    lws_rx_flow_control(socket, connection.isUnread ? 0 : 1)
  }

  /// Notes whether the kernel takes what is written, whenever it has taken something. Where it does
  /// not, nothing is read: libwebsockets 4.1 that reads the end of such a connection tries for ever
  /// to close it, and serves nobody else. Members read whatever they have to say, so no two wait
  /// for each other.
  func noteChoked(_ connection: ServerConnection, _ socket: OpaquePointer, _ isChoked: Bool) {
    let wasChoked = connection.chokedSince != nil
    if isChoked || wasChoked { connection.chokedSince = isChoked ? MonotonicClock.now : nil }
    if isChoked != wasChoked { letRead(connection, socket) }
  }

  private func writeControl(_ connection: ServerConnection) -> Int32 {
    guard let channel = connection.control else { return -1 }
    let answer = channel.writable()
    if answer == 0 { noteChoked(connection, channel.socket, channel.isChoked) }
    return answer
  }
}
