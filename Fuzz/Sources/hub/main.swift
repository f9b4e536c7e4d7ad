import Core
import Fuzzer
import Protocol

/// A hub whose connections, clients and master say whatever can be decoded, in any order and at any
/// time.
private struct Scene {
  private var hub: Hub
  private var draw: TestGenerator
  private var now: Duration = .zero
  private var sessions: [SessionID] = []
  private var last: SessionID = 0
  private var isClosing: Set<SessionID> = []

  init(_ input: [UInt8]) {
    draw = TestGenerator(input: input)
    var settings = Hub.Settings()
    settings.waitingLimit = 4
    hub = Hub(settings: settings)
  }

  mutating func run() {
    var steps = 0
    while draw.hasInput, steps < 300 {
      steps += 1
      var actions: [HubAction] = []
      step(&actions)
      obey(actions)
    }
  }

  private mutating func step(_ actions: inout [HubAction]) {
    switch draw.below(16) {
    case 0, 1: open()
    case 2:
      if let session = pick() { close(session, &actions) }
    case 3:
      guard let session = pick(), let register = register() else { return }
      hub.masterRegisters(
        register, proofHolds: draw.below(8) > 0, claimHolds: draw.below(4) > 0, session: session,
        now: now, into: &actions)
    case 4, 5:
      guard let session = pick(), let register = register() else { return }
      hub.clientRegisters(
        register, proofHolds: draw.below(8) > 0, session: session, now: now, into: &actions)
    case 6:
      now += .milliseconds(Int64(draw.next() % 1_000_000))
      hub.tick(now: now, into: &actions)
    case 7:
      if let session = pick() { hub.leaves(session, into: &actions) }
    case 8:
      guard let session = pick() else { return }
      hub.receivedFrame(draw.bytes(upTo: 200), session: session, now: now, into: &actions)
    case 9:
      guard let session = pick() else { return }
      hub.sentFrames(bytes: draw.below(1 << 20), session: session, now: now, into: &actions)
    default:
      guard let session = pick(), let message = message() else { return }
      hub.received(message, session: session, now: now, into: &actions)
    }
  }

  private mutating func open() {
    last += 1
    sessions.append(last)
    hub.opened(last, from: "address", time: Int64(bitPattern: draw.next()), now: now)
  }

  private mutating func close(_ session: SessionID, _ actions: inout [HubAction]) {
    sessions.removeAll { $0 == session }
    hub.closed(session, now: now, into: &actions)
  }

  private mutating func pick() -> SessionID? {
    sessions.isEmpty ? nil : sessions[draw.below(sessions.count)]
  }

  /// Of few devices, so that they meet.
  private mutating func register() -> Register? {
    let device = UInt8(draw.below(6))
    let made = draw.register()
    let key = DeviceKey(
      signing: Array(repeating: device, count: DeviceKey.partLength),
      agreement: Array(repeating: device, count: DeviceKey.partLength))
    return Register(
      key: key, incarnation: made.incarnation, name: made.name, system: made.system,
      claim: made.claim, proof: made.proof)
  }

  /// As it comes off the wire.
  private mutating func message() -> Message? {
    let made = draw.message(draw.pick(Opcode.allCases))
    return (try? made.encoded()).flatMap { try? Message(decoding: $0) }
  }

  private mutating func obey(_ actions: [HubAction]) {
    var ended: [SessionID] = []
    for action in actions {
      switch action {
      case .send(let message, _):
        precondition((try? message.encoded()) != nil, "a hub says nothing that it cannot send")
      case .close(let session, _): ended.append(session)
      default: break
      }
    }
    for session in ended where sessions.contains(session) {
      var more: [HubAction] = []
      close(session, &more)
      obey(more)
    }
  }
}

private func fuzzOne(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
  var scene = Scene(input(start, count))
  scene.run()
  return 0
}

fuzz(fuzzOne)
