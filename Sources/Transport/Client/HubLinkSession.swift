import CWebSockets
import Logging
import System

/// Opening and closing. Service thread only.
extension HubLink {
  func begin() {
    guard session == nil, handler != nil else { return }
    let session = LinkSession()
    session.controlLeg = newLeg()
    self.session = session
    findRoute(session)
  }

  func beginBulk(_ tickets: LinkSession.Tickets) {
    guard let session, session.failure == nil, session.control != nil, session.tickets == nil,
      let route = session.route
    else { return }
    // Only where no wire is between the two ends is nothing marked.
    guard tickets.tags != nil || Loopback.contains(route) else {
      return end(.notAHub("it gives no keys for the frames of its streams"))
    }
    session.tickets = tickets
    let downLeg = newLeg()
    let upLeg = newLeg()
    session.downLeg = downLeg
    session.upLeg = upLeg
    connect(downLeg, raw: true, by: route)
    if session.failure == nil { connect(upLeg, raw: true, by: route) }
  }

  func endPolitely() {
    guard let session, session.failure == nil else { return }
    guard let control = session.control else { return end(.closed) }
    outbox.withLock { $0 = Outbox() }
    control.close(code: 1000, reason: "", now: MonotonicClock.now)
  }

  func newLeg() -> LinkSession.Leg {
    LinkSession.Leg(id: nextID(), now: MonotonicClock.now)
  }

  func connect(_ leg: LinkSession.Leg, raw: Bool, by route: String) {
    let socket = loop.connect(to: address, by: route, raw: raw, id: leg.id)
    leg.socket = socket
    // A failure may have been reported already, by a callback inside of the call.
    if socket == nil { gone(leg.id, .unreachable("no connection to \(address)")) }
  }
}

/// What the sockets say. The answers are libwebsockets': -1 closes.
extension HubLink {
  func connected(
    _ leg: LinkSession.Leg, _ session: LinkSession, _ socket: OpaquePointer
  ) -> Int32 {
    guard tlsBulk, let tls, leg !== session.controlLeg else { return opened(leg, session, socket) }
    leg.pipe = TLSPipe(tls, protocol: ProtocolSniffer.bulkProtocol)
    lws_callback_on_writable(socket)
    return 0
  }

  private func opened(_ leg: LinkSession.Leg, _ session: LinkSession, _ socket: OpaquePointer)
    -> Int32
  {
    let now = MonotonicClock.now
    if leg === session.controlLeg {
      session.control = ControlChannel(socket: socket, on: loop, limits: limits, now: now)
      outbox.withLock { $0.isOpen = true }
      // Only now the hub has proven that the key is its own.
      pin = pin ?? session.hubKey
      handler?.linkOpened(hubKey: session.hubKey, route: session.route)
    } else if let tickets = session.tickets {
      let isDown = leg === session.downLeg
      let head = requestHead(isDown: isDown, ticket: isDown ? tickets.down : tickets.up)
      let stream = BulkStream(
        socket: socket, on: loop, pipe: leg.pipe, head: head,
        tags: isDown ? tickets.tags?.down : tickets.tags?.up, limits: limits, now: now)
      if isDown { session.down = stream } else { session.up = stream }
    }
    return 0
  }

  func receiveRaw(
    _ leg: LinkSession.Leg, _ session: LinkSession, _ socket: OpaquePointer,
    _ input: UnsafeRawBufferPointer
  ) -> Int32 {
    guard let pipe = leg.pipe else { return receiveBulk(leg, session, input) }
    let wasComplete = pipe.isComplete
    do throws(TLSPipe.Broken) {
      try pipe.receive(input) { plain throws(TLSPipe.Broken) in
        guard receiveBulk(leg, session, plain) == 0 else { throw TLSPipe.Broken() }
      }
    } catch { return -1 }
    if pipe.hasOutput { lws_callback_on_writable(socket) }
    return pipe.isComplete && !wasComplete ? opened(leg, session, socket) : 0
  }

  func writeRaw(
    _ leg: LinkSession.Leg, _ session: LinkSession, _ socket: OpaquePointer
  ) -> Int32 {
    guard let pipe = leg.pipe, pipe.hasOutput else { return writeBulk(leg, session) }
    // One write for each callback: the stream has its turn in the next.
    lws_callback_on_writable(socket)
    return pipe.flush(to: socket) ? 0 : -1
  }

  func receiveControl(_ session: LinkSession, _ input: UnsafeRawBufferPointer) -> Int32 {
    guard let control = session.control else { return -1 }
    switch control.receive(input, now: MonotonicClock.now) {
    case .part: return 0
    case .message(let message):
      handler?.linkReceived(message: message)
      return 0
    case .violation(let code, let reason):
      control.announceClose(code, reason)
      end(.notAHub(reason))
      return -1
    }
  }

  func noteClose(_ session: LinkSession, _ input: UnsafeRawBufferPointer) {
    guard session.closeFrame == nil else { return }
    // 1005: there was no code (RFC 6455, 7.4.1).
    let code = input.count >= 2 ? UInt16(input[0]) << 8 | UInt16(input[1]) : 1005
    session.closeFrame = (code, String(decoding: input.dropFirst(2), as: UTF8.self))
  }

  private func receiveBulk(
    _ leg: LinkSession.Leg, _ session: LinkSession, _ input: UnsafeRawBufferPointer
  ) -> Int32 {
    if leg === session.upLeg {
      // A hub says nothing on this stream unless it refuses it.
      switch session.upHead.feed(input) {
      case .part: return 0
      case .complete(let lines, _): return refused(BulkResponse(lines: lines))
      case .tooLong: return refused(BulkResponse(lines: []))
      }
    }
    guard let down = session.down else { return -1 }
    spentDown(input.count, down.socket)
    var body = input[...]
    if session.downHead != nil {
      switch session.downHead?.feed(input) {
      case .part, nil: return 0
      case .tooLong: return refused(BulkResponse(lines: []))
      case .complete(let lines, let rest):
        let response = BulkResponse(lines: lines)
        guard response.status == 200 else { return refused(response) }
        session.downHead = nil
        noteBulkReady(session)
        body = input.suffix(rest)
      }
    }
    do throws(FrameAssembler.Fault) {
      try down.receive(UnsafeRawBufferPointer(rebasing: body), now: MonotonicClock.now) {
        (frame: consuming [UInt8]) in
        guard session.failure == nil else { return }
        handler?.linkReceived(frame: frame)
      }
      return session.failure == nil ? 0 : -1
    } catch {
      end(error == .badTag ? .lost("\(error)") : .notAHub("\(error)"))
      return -1
    }
  }

  private func writeBulk(_ leg: LinkSession.Leg, _ session: LinkSession) -> Int32 {
    let isUp = leg === session.upLeg
    guard let stream = isUp ? session.up : session.down else { return 0 }
    if isUp, stream.isHeadSent, upWaits { return 0 }
    guard let sent = stream.writable(now: MonotonicClock.now) else { return -1 }
    if isUp {
      noteBulkReady(session)
      if sent > 0 {
        spentUp(sent)
        handler?.linkSent(bulkBytes: sent)
      }
    }
    return 0
  }

  private func refused(_ response: BulkResponse) -> Int32 {
    if let status = response.status, status >= 400 {
      end(.refused(code: status, reason: response.line))
    } else {
      end(.notAHub("the answer on a bulk stream is not a hub's"))
    }
    return -1
  }

  private func noteBulkReady(_ session: LinkSession) {
    guard !session.isBulkReady, session.downHead == nil, session.up?.isHeadSent == true else {
      return
    }
    session.isBulkReady = true
    handler?.linkBulkReady()
  }

  /// The head of a bulk stream's request. The up stream's body never ends, so its length is one
  /// that is never reached: 2^60.
  private func requestHead(isDown: Bool, ticket: [UInt8]) -> [UInt8] {
    let line = isDown ? "GET /bulk/down" : "POST /bulk/up"
    let length = isDown ? "" : "Content-Length: 1152921504606846976\r\n"
    return Array("\(line) HTTP/1.1\r\nHost: \(address)\r\n\(length)Authorization: ".utf8)
      + Ticket.header(ticket) + Array("\r\n\r\n".utf8)
  }
}
