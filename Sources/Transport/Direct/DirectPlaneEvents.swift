import CWebSockets
import Logging
import Protocol
import System

/// What the service loop reports to the direct plane.
extension DirectPlane: ServiceEvents {
  func loopStarted() {
    timer = loop.makeTimer { [unowned self] in
      timerDue = nil
      goOnDialling()
      goOn()
    }
    guard let listener else { return }
    guard let descriptor = try? listener.duplicate(),
      loop.adopt(descriptor, as: .poll, id: 0) != nil
    else {
      log.error("the listening socket cannot be polled: no member can connect directly")
      return
    }
  }

  func loopWoken() {
    for (id, frame) in takeOutbox() {
      guard let line = lines[id], !line.isEnding, let stream = line.stream else { continue }
      line.used = MonotonicClock.now
      if !stream.send(frame) { line.end("it is too slow") }
    }
  }

  func socketWritable(_ socket: OpaquePointer) -> Int32 {
    lines[tag(of: socket)].map { write($0, socket) } ?? 0
  }

  func loopStopping() {
    timer = nil
    for line in lines.values { line.end("this program ends") }
  }

  func loopStopped() {
    for id in lines.keys.sorted() { gone(id) }
  }

  func tick(now: Duration) {
    budget.tick(now: now)
    for line in lines.values where !line.isEnding {
      if !line.isAdmitted, now - line.since >= limits.transport.headTime {
        line.end("no handshake in time")
      }
      guard let stream = line.stream else { continue }
      if stream.isSilent(now: now) {
        line.end("it is silent")
      } else if now - line.used >= limits.idleTime {
        line.end("it was not used")
      } else {
        stream.keepAlive(now: now)
      }
    }
  }

  func socketEvent(
    _ socket: OpaquePointer, _ reason: lws_callback_reasons, _ input: UnsafeRawBufferPointer
  ) -> Int32 {
    let id = tag(of: socket)
    if id == 0 { return reason == LWS_CALLBACK_RAW_RX_FILE ? acceptWaiting() : 0 }
    guard let line = lines[id] else { return 0 }
    switch reason {
    case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
      let why = String(decoding: input, as: UTF8.self)
      line.why = why.isEmpty ? "no connection" : why
      gone(id)
    case LWS_CALLBACK_RAW_CONNECTED:
      line.socket = socket
      if line.isEnding { return -1 }
      line.why = "it is no member's: another service"
      line.handshake = DeviceHandshake(tls, accepts: false)
      lws_callback_on_writable(socket)
    case LWS_CALLBACK_RAW_RX: return line.isEnding ? -1 : receive(line, socket, input)
    case LWS_CALLBACK_RAW_WRITEABLE: return line.isEnding ? -1 : write(line, socket)
    case LWS_CALLBACK_WSI_DESTROY: gone(id)
    default: break
    }
    return 0
  }

  func gone(_ id: UInt64) {
    guard let line = lines.removeValue(forKey: id) else { return }
    strangers.remove(id)
    line.isEnding = true
    line.socket = nil
    failed(line)
    if line.owesFarewell { handler?.lineClosed(id, why: line.why) }
  }
}

/// Bytes. Service thread only.
extension DirectPlane {
  private func acceptWaiting() -> Int32 {
    // A bound, so that a flood of connections does not starve those that are there.
    for _ in 0..<64 {
      guard let descriptor = listener?.accept() else { return 0 }
      let (origin, now) = (PeerOrigin(peerOf: descriptor), MonotonicClock.now)
      guard isOpen, lines.count < limits.transport.connections, handshakes.take(origin, now: now)
      else {
        _ = OwnedDescriptor(descriptor)
        continue
      }
      while strangers.count >= limits.transport.unregistered,
        let id = strangers.giveWay(to: origin)
      {
        lines[id]?.end("too many strangers")
      }
      ProtocolSniffer.release(descriptor)
      let line = DirectLine(id: nextID(), dial: nil, address: "", origin: origin, now: now)
      line.handshake = DeviceHandshake(tls, accepts: true)
      lines[line.id] = line
      strangers.add(line.id, from: origin)
      line.socket = loop.adopt(descriptor, as: .raw(secure: false), id: line.id)
      if let socket = line.socket { line.address = peerAddress(socket) } else { gone(line.id) }
    }
    return 0
  }

  private func receive(
    _ line: DirectLine, _ socket: OpaquePointer, _ input: UnsafeRawBufferPointer
  ) -> Int32 {
    if line.stream != nil { return receive(line, input) }
    guard let handshake = line.handshake else { return -1 }
    do throws(DeviceHandshake.Broken) { try handshake.receive(input) } catch {
      line.why =
        line.dial == nil ? "the handshake failed" : "somebody else, or another service, answers"
      // The other end hears why.
      _ = writeHandshake(line, socket)
      return -1
    }
    guard handshake.isComplete else {
      lws_callback_on_writable(socket)
      return 0
    }
    guard let peer = handshake.peer,
      let secret = handshake.secret(secretLabel, count: secretLength), wins(line, peer)
    else { return -1 }
    let now = MonotonicClock.now
    line.why = "the other end closed it"
    line.stream = BulkStream(
      socket: socket, on: loop, pipe: nil, head: nil, tags: nil, limits: limits.transport, now: now)
    line.owesFarewell = true
    guard
      handler?.lineShaken(
        line.id, peer: peer, secret: secret, address: line.address, dial: line.dial) == true
    else { return -1 }
    lws_callback_on_writable(socket)
    let rest = handshake.takeRest()
    return rest.withUnsafeBytes { $0.isEmpty ? 0 : receive(line, $0) }
  }

  private func receive(_ line: DirectLine, _ input: UnsafeRawBufferPointer) -> Int32 {
    guard let stream = line.stream else { return -1 }
    let now = MonotonicClock.now
    rates.spend(down: input.count, now: now)
    let wait = rates.downWait(now: now)
    if let wait {
      lws_rx_flow_control(stream.socket, 0)
      setTimer(at: now + wait)
    }
    handler?.lineHeard(line.id, rest: wait ?? .zero)
    do throws(FrameAssembler.Fault) {
      try stream.receive(input, now: now) { (frame: consuming [UInt8]) in
        guard !line.isEnding else { return }
        line.used = now
        let isTaken = handler?.lineReceived(line.id, frame: frame) ?? false
        if !isTaken { line.end("it breaks the protocol") }
      }
    } catch {
      line.why = "\(error)"
      return -1
    }
    return line.isEnding ? -1 : 0
  }

  private func write(_ line: DirectLine, _ socket: OpaquePointer) -> Int32 {
    if let handshake = line.handshake {
      let answer = writeHandshake(line, socket)
      if answer != 1 { return answer }
      if handshake.isComplete, line.stream != nil { line.handshake = nil }
    }
    guard let stream = line.stream else { return 0 }
    let now = MonotonicClock.now
    if let wait = rates.upWait(now: now) {
      setTimer(at: now + wait)
      return 0
    }
    guard let sent = stream.writable(now: now) else { return -1 }
    if sent > 0 {
      rates.spend(up: sent, now: now)
      handler?.lineSent(line.id, bytes: sent)
    }
    return 0
  }

  /// Returns: 1 where there was nothing to write.
  private func writeHandshake(_ line: DirectLine, _ socket: OpaquePointer) -> Int32 {
    guard var bytes = line.handshake?.takeOutput(), !bytes.isEmpty else { return 1 }
    lws_callback_on_writable(socket)
    return lws_write(socket, &bytes, bytes.count, LWS_WRITE_HTTP) >= bytes.count ? 0 : -1
  }

  /// Streams that waited for their rate go on, as far as they may.
  func goOn() {
    let now = MonotonicClock.now
    let (up, down) = (rates.upWait(now: now), rates.downWait(now: now))
    for line in lines.values where !line.isEnding {
      guard let stream = line.stream else { continue }
      if up == nil, stream.queuedBytes > 0 { lws_callback_on_writable(stream.socket) }
      if let down {
        handler?.lineHeard(line.id, rest: down)
      } else {
        lws_rx_flow_control(stream.socket, 1)
      }
    }
    for wait in [up, down] { if let wait { setTimer(at: now + wait) } }
  }

  func setTimer(at due: Duration) {
    if let timerDue, timerDue <= due { return }
    timerDue = due
    timer?.set(after: max(.zero, due - MonotonicClock.now))
  }
}
