import CWebSockets
import DequeModule
import Logging
import Protocol
import System

/// What the service loop reports to a link.
extension HubLink: ServiceEvents {
  func loopStarted() { rateTimer = loop.makeTimer { [unowned self] in goOn() } }

  func loopWoken() {
    guard let session else { return }
    let (messages, frames) = outbox.withLock { box in
      let taken = (box.messages, box.frames)
      box.messages = []
      box.frames = []
      box.messageBytes = 0
      box.frameBytes = 0
      return taken
    }
    guard session.failure == nil else { return }
    if let control = session.control {
      var fits = true
      for message in messages { fits = control.send(message) && fits }
      if !fits { return end(.lost("\(limits.controlQueueBytes) bytes of messages are waiting")) }
    }
    if let up = session.up {
      var fits = true
      for frame in frames { fits = up.send(frame) && fits }
      if !fits { end(.lost("\(limits.bulkQueueBytes) bytes of frames are waiting")) }
    }
  }

  func socketWritable(_ socket: OpaquePointer) -> Int32 {
    guard let session, session.failure == nil,
      let leg = session.legs.first(where: { $0.id == tag(of: socket) })
    else { return 0 }
    return leg === session.controlLeg
      ? session.control?.writable() ?? 0 : writeRaw(leg, session, socket)
  }

  func loopStopping() {
    rateTimer = nil
    end(.closed)
  }

  func loopStopped() {
    guard let session else { return }
    for leg in session.legs { gone(leg.id, .closed) }
  }

  func tick(now: Duration) {
    guard let session, session.failure == nil else { return }
    if let leg = session.controlLeg, session.control == nil, !session.routes.isEmpty,
      now - leg.since >= limits.routeTime
    {
      // Its events are nobody's from now on.
      if let socket = leg.socket { kill(socket) }
      tryNextRoute(session)
      return
    }
    for leg in session.legs where now - leg.since >= limits.connectTime {
      let isOpen =
        switch leg.id {
        case session.controlLeg?.id: session.control != nil
        case session.downLeg?.id: session.downHead == nil
        default: session.up != nil
        }
      if !isOpen { return end(gaveUp(session)) }
    }
    if let doom = session.doom, now >= doom.deadline { return end(doom.failure) }
    if let control = session.control, control.check(now: now) == .dead {
      return end(control.closing == nil ? .lost("the hub is silent") : .closed)
    }
    if let down = session.down, session.downHead == nil, down.isSilent(now: now) {
      return end(.lost("the hub's bulk stream is silent"))
    }
    session.up?.keepAlive(now: now)
  }

  func socketEvent(
    _ socket: OpaquePointer, _ reason: lws_callback_reasons, _ input: UnsafeRawBufferPointer
  ) -> Int32 {
    let id = tag(of: socket)
    guard id != 0, let session, let leg = session.legs.first(where: { $0.id == id }) else {
      return 0
    }
    switch reason {
    case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
      connectionFailed(leg, session, String(decoding: input, as: UTF8.self))
    case LWS_CALLBACK_WSI_DESTROY: gone(id, .lost("the hub closed the connection"))
    case LWS_CALLBACK_CLIENT_ESTABLISHED, LWS_CALLBACK_RAW_CONNECTED:
      leg.socket = socket
      return session.failure == nil ? connected(leg, session, socket) : -1
    case LWS_CALLBACK_CLIENT_RECEIVE:
      return session.failure == nil ? receiveControl(session, input) : -1
    case LWS_CALLBACK_CLIENT_RECEIVE_PONG: session.control?.heard(now: MonotonicClock.now)
    case LWS_CALLBACK_CLIENT_WRITEABLE: return session.control?.writable() ?? -1
    case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE: noteClose(session, input)
    case LWS_CALLBACK_RAW_RX:
      return session.failure == nil ? receiveRaw(leg, session, socket, input) : -1
    case LWS_CALLBACK_RAW_WRITEABLE:
      return session.failure == nil ? writeRaw(leg, session, socket) : -1
    default: break
    }
    return 0
  }

  /// Ends the session, if there is one.
  func end(_ why: LinkFailure) {
    guard let session else { return }
    outbox.withLock { $0 = Outbox() }
    session.end(why)
    // While the name is looked up there is no socket whose end could be awaited.
    if session.route == nil, let leg = session.controlLeg { _ = session.removeLeg(leg.id) }
    finishIfGone(session)
  }

  func gone(_ id: UInt64, _ why: LinkFailure) {
    guard let session else { return }
    let isControl = session.controlLeg?.id == id
    let reason = session.reason(for: why)
    guard session.removeLeg(id) else { return }
    if isControl || session.failure != nil || session.control?.closing != nil {
      end(reason)
    } else if session.doom == nil {
      // A hub that closes everything may say why on the control plane: that is worth a moment.
      session.doom = (why, MonotonicClock.now + limits.closeGrace)
    }
  }

  private func finishIfGone(_ session: LinkSession) {
    guard session.legs.isEmpty, self.session === session, let failure = session.failure else {
      return
    }
    self.session = nil
    handler?.linkClosed(failure)
  }

  private func connectionFailed(_ leg: LinkSession.Leg, _ session: LinkSession, _ why: String) {
    let text = why.isEmpty ? "no connection to \(address)" : "\(address): \(why)"
    // libwebsockets marks what went wrong in the handshake, after the connection was there; but
    // where no HTTP came at all it just reads on until the end, which the kernel counts as a byte.
    // Whoever has said anything is there, and no hub.
    let hasSpoken = leg.socket.map { receivedBytes(lws_get_socket_fd($0)) > 1 } ?? false
    let isHub = !hasSpoken && !why.hasPrefix("HS:")
    if isHub || isElsewhere(session), leg === session.controlLeg, tryNextRoute(session) { return }
    if isElsewhere(session) { return gone(leg.id, .unreachable(text)) }
    if !address.secure, let socket = leg.socket, lws_http_client_http_response(socket) == 426 {
      gone(leg.id, .refused(code: 426, reason: "it wants TLS: connect to wss://\(address)"))
    } else {
      gone(leg.id, isHub ? .unreachable(text) : .notAHub(strangeAnswer(why)))
    }
  }

  /// What somebody who is no hub does, without what libraries say of it among themselves.
  private func strangeAnswer(_ why: String) -> String {
    if address.secure, why.contains("SSL") || !why.hasPrefix("HS:") {
      return "\(address) does not speak TLS; is that another service's port?"
    }
    return "\(address) is another service's port"
  }
}
