import Core
import Logging
import Mount
import Protocol
import Sealing
import System
import Transport

/// What the direct plane reports. Its service thread.
extension DirectLines: DirectPlaneHandler {
  func lineShaken(
    _ id: UInt64, peer: [UInt8], secret: [UInt8], address: String, dial: UInt64?
  ) -> Bool {
    // Asked once more: the handshake took its time.
    guard let publicID = host.approvedMember(peer), publicID != host.ownID else { return false }
    let seal = LineSeal(secret: secret, dialled: dial != nil)
    state.withLock { state in
      state.lines[id] = Line(
        peer: publicID, key: peer, seal: seal, address: address, dial: dial)
    }
    plane?.send(seal.frame(message: []), on: id)
    return true
  }

  func lineHeard(_ id: UInt64, rest: Duration) {
    guard let line = state.withLock({ $0.lines[id] }), line.isOpen else { return }
    volume.reading.lineHeard(id, of: line.peer, rest: rest)
  }

  func lineReceived(_ id: UInt64, frame: consuming [UInt8]) -> Bool {
    guard let line = state.withLock({ $0.lines[id] }),
      let isMessage = try? DirectFrame.isMessage(frame)
    else { return false }
    if !isMessage { return line.isOpen && received(frame, line, id) }
    guard let plain = line.seal.open(frame, isMessage: true) else { return false }
    if !line.isOpen { opened(id, line) }
    if plain.isEmpty { return true }
    guard let message = try? Message(decoding: plain) else { return false }
    switch message {
    case .requestChunk(let request) where request.owner == host.ownID:
      volume.serving.requested(request, by: id)
    case .chunkFailed(let failure) where failure.owner == line.peer:
      volume.reading.chunkFailed(failure, by: .line(id))
    default: return false
    }
    return true
  }

  /// CHUNK_READY. Returns: false for one that is not the other end's to send.
  private func received(_ frame: [UInt8], _ line: Line, _ id: LineID) -> Bool {
    guard let key = try? BulkFrame.key(of: frame), key.owner == line.peer else { return false }
    return volume.reading.received(key, by: id) { line.seal.open(frame, isMessage: false) }
  }

  func lineSent(_ id: UInt64, bytes: Int) { volume.serving.taken(bytes: bytes, by: .line(id)) }

  func lineClosed(_ id: UInt64, why: String) {
    let (line, other) = state.withLock { state -> (Line?, LineID?) in
      guard let line = state.lines.removeValue(forKey: id) else { return (nil, nil) }
      if let dial = line.dial { state.dials[dial] = nil }
      guard line.isOpen else { return (line, nil) }
      let remains = state.keeper.closed(id, to: line.peer)
      return (line, remains ? state.keeper.line(to: line.peer) : nil)
    }
    guard let line else { return }
    if line.isOpen {
      volume.serving.lineClosed(id)
      volume.reading.lineClosed(id, to: line.peer)
      if let other {
        volume.reading.lineOpened(other, to: line.peer)
      } else {
        say(line.peer, .info, "is reached through the hub: the line to it ended (\(why))")
      }
    } else if line.dial != nil {
      failed(line.peer, "\(line.address): \(why)")
    }
  }

  func dialFailed(_ dial: UInt64, why: String) {
    guard let peer = state.withLock({ $0.dials.removeValue(forKey: dial) }) else { return }
    failed(peer, why)
  }

  private func failed(_ peer: PublicID, _ why: String) {
    state.withLock { $0.keeper.dialFailed(peer, why, now: MonotonicClock.now) }
    say(peer, .info, "is read through the hub: it cannot be reached directly (\(why))")
  }

  private func opened(_ id: LineID, _ line: Line) {
    state.withLock { state in
      state.lines[id]?.isOpen = true
      if let dial = line.dial { state.dials[dial] = nil }
      state.keeper.opened(id, to: line.peer)
    }
    plane?.admit(id)
    volume.serving.lineOpened(id, from: line.peer, line.seal)
    volume.reading.lineOpened(id, to: line.peer)
    let which = line.dial == nil ? "from" : "at"
    say(line.peer, .info, "has a line to this one, \(which) \(line.address)")
  }

  /// A line in the log for each change, not for each try.
  private func say(_ peer: PublicID, _ level: Logger.Level, _ what: String) {
    let isNews = state.withLock { state -> Bool in
      if state.said[peer] == what { return false }
      state.said[peer] = what
      return true
    }
    if isNews { budget.log(level, "lines", "member \(peer) \(what)") }
  }
}

/// What goes by lines. Any thread.
extension DirectLines {
  func request(_ request: ChunkRequest, by id: LineID) { send(.requestChunk(request), on: id) }

  func failed(_ failure: ChunkFailure, by id: LineID) { send(.chunkFailed(failure), on: id) }

  func upload(_ frame: [UInt8], by id: LineID) { plane?.send(frame, on: id) }

  private func send(_ message: Message, on id: LineID) {
    guard let seal = state.withLock({ $0.lines[id]?.seal }),
      let bytes = try? message.encoded()
    else { return }
    plane?.send(seal.frame(message: bytes), on: id)
  }
}
