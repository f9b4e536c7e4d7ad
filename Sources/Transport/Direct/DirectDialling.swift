import Protocol
import System

/// Trying the addresses of a member, each a little after the one before (RFC 8305). Service thread
/// only.
extension DirectPlane {
  func begin(_ number: UInt64, _ key: [UInt8], _ targets: [LineTarget]) {
    guard isOpen else { return }
    let now = MonotonicClock.now
    let numeric = targets.filter { HostLookUp.isNumeric($0.host) }
    dials[number] = Dial(
      key: key, rest: numeric[...], nextAt: now, until: now + limits.dialTime)
    goOn(number)
  }

  /// Tries the next address of an attempt, if it is time; ends it where there is none.
  func goOn(_ number: UInt64) {
    let now = MonotonicClock.now
    while var dial = dials[number], now >= dial.nextAt || dial.lines.isEmpty,
      let target = dial.rest.popFirst()
    {
      dial.nextAt = now + limits.stagger
      dials[number] = dial
      connect(number, target)
    }
    guard let dial = dials[number] else { return }
    if dial.rest.isEmpty, dial.lines.isEmpty {
      dials[number] = nil
      let why = dial.reasons.isEmpty ? "it has no address" : dial.reasons.joined(separator: "; ")
      handler?.dialFailed(number, why: why)
    } else {
      // Lines that are being ended are waited for, not asked again and again.
      let next = dial.rest.isEmpty ? dial.until : min(dial.nextAt, dial.until)
      setTimer(at: max(next, now + .milliseconds(10)))
    }
  }

  /// Gives up attempts that took too long, and goes on with the others.
  func goOnDialling() {
    let now = MonotonicClock.now
    for number in dials.keys.sorted() {
      guard let dial = dials[number] else { continue }
      if now >= dial.until {
        dials[number]!.rest = []
        for id in dial.lines.sorted() { lines[id]?.end("no answer") }
      }
      goOn(number)
    }
  }

  private func connect(_ number: UInt64, _ target: LineTarget) {
    guard let address = try? HubAddress(host: target.host, port: target.port, secure: false) else {
      return
    }
    let line = DirectLine(
      id: nextID(), dial: number, address: "\(target)", origin: nil, now: MonotonicClock.now)
    lines[line.id] = line
    dials[number]!.lines.insert(line.id)
    let socket = loop.connect(to: address, by: target.host, raw: true, id: line.id)
    line.socket = socket
    // A failure may have been reported already, by a callback inside of the call.
    if socket == nil { gone(line.id) }
  }

  /// A line of an attempt has its handshake behind it. Returns: whether it is the one that counts.
  func wins(_ line: DirectLine, _ peer: [UInt8]) -> Bool {
    guard let number = line.dial, let dial = dials[number] else { return line.dial == nil }
    guard peer == dial.key else {
      line.end("somebody else answers there")
      return false
    }
    dials[number] = nil
    for id in dial.lines where id != line.id { lines[id]?.end("another address was faster") }
    return true
  }

  /// A line of an attempt has come to nothing.
  func failed(_ line: DirectLine) {
    guard let number = line.dial, dials[number]?.lines.remove(line.id) != nil else { return }
    dials[number]!.reasons.append("\(line.address): \(line.why)")
    goOn(number)
  }
}
