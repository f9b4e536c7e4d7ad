import Core
import Fuzzer
import Protocol
import Sealing

/// A master whose hub and members say whatever can be decoded. What it orders is journaled and
/// followed: a master that is restored from it, and a replica that heard all of it, have the same
/// list.
private struct Scene {
  /// What is reported as signed is taken so: whatever it says is tried.
  private static let signer = MasterSigner(
    sign: { _ in [UInt8](repeating: 7, count: MemberRecord.signatureLength) },
    holds: { _, _ in true })
  private var master = Master(
    epoch: 1, spareEpoch: 2, hash: ListHash.sha256, signer: signer)
  private var restored = Master(
    epoch: 1, spareEpoch: 2, hash: ListHash.sha256, signer: signer)
  private var follower = Replica(order: ListOrder(epoch: 1, seq: 0), hash: ListHash.sha256)
  private var draw: TestGenerator
  private var now: Duration = .zero

  init(_ input: [UInt8]) { draw = TestGenerator(input: input) }

  mutating func run() {
    var steps = 0
    while draw.hasInput, steps < 200 {
      steps += 1
      var actions: [MasterAction] = []
      step(&actions)
      for action in actions { obey(action) }
    }
    precondition(restored.replica.list.sorted == master.replica.list.sorted, "the journal has all")
    precondition(follower.list.sorted == master.replica.list.sorted, "all was published")
    precondition(follower.order == master.replica.order, "every change has its place")
  }

  private mutating func step(_ actions: inout [MasterAction]) {
    switch draw.below(12) {
    case 0:
      let records = (0..<draw.below(5)).map { _ in record() }
      master.hubConnected(clients: records, now: now, into: &actions)
    case 1: master.clientRegistered(record(), into: &actions)
    case 2: _ = master.approve(someone(), into: &actions)
    case 3: _ = draw.below(4) == 0 && master.disapprove(someone(), into: &actions)
    case 4:
      master.presenceChanged(
        someone(), draw.pick([.online, .away, .gone]), into: &actions)
    case 5:
      now += .milliseconds(Int64(draw.next() % 100_000))
      master.tick(now: now, into: &actions)
    case 6:
      let question = ListQuestion(cursor: draw.cursor(), mark: draw.mark())
      _ = master.received(.askFiles(question), from: someone(), now: now, into: &actions)
    case 7: master.clientsForgotten([someone()])
    default: propose(&actions)
    }
  }

  private mutating func propose(_ actions: inout [MasterAction]) {
    let change: ProposedChange =
      switch draw.below(6) {
      case 0: .remove(draw.randomID())
      case 1: .rename(draw.randomID(), to: draw.path())
      case 2: .name(draw.deviceName())
      default:
        .add((0..<(1 + draw.below(4))).map { _ in draw.entry() }, reclaims: draw.below(4) == 0)
      }
    let transfer = TransferID(incarnation: UInt64(draw.below(3)), counter: draw.next())
    var message = change.message(transfer, oldest: draw.next())
    if draw.below(8) == 0 { message = .addFiles(draw.proposal()) }
    guard let bytes = try? message.encoded(), let came = try? Message(decoding: bytes) else {
      return
    }
    let isProposal = master.received(came, from: someone(), now: now, into: &actions)
    precondition(isProposal, "a proposal is one, whatever its body")
  }

  private mutating func someone() -> PublicID { PublicID(UInt32(draw.below(5))) }

  /// Of few numbers and devices, so that they meet.
  private mutating func record() -> ClientRecord {
    let made = draw.clientRecord()
    let device = UInt8(draw.below(5))
    return ClientRecord(
      publicID: someone(),
      key: DeviceKey(
        signing: Array(repeating: device, count: DeviceKey.partLength),
        agreement: Array(repeating: device, count: DeviceKey.partLength)),
      name: made.name, system: made.system, address: made.address, firstSeen: made.firstSeen,
      generation: made.generation, reached: made.reached, admission: made.admission,
      presence: made.presence)
  }

  private mutating func obey(_ action: MasterAction) {
    switch action {
    case .journal(let ordered): restored.restore(asSent(ordered))
    case .publish(let ordered): _ = follower.apply(asSent(ordered))
    case .beginEpoch(let order):
      restored.beginEpoch(order.epoch)
      follower.reached(order, .none)
    case .answer(_, let message):
      precondition((try? message.encoded()) != nil, "a master says nothing that it cannot send")
    default: break
    }
  }

  private func asSent(_ ordered: OrderedChange) -> OrderedChange {
    guard let bytes = try? ordered.message().encoded(), let came = try? Message(decoding: bytes),
      let copy = try? OrderedChange.decode(came)
    else { preconditionFailure("what is ordered can be sent, and understood") }
    precondition(copy == ordered, "nothing is lost on the way")
    return copy
  }
}

private func fuzzOne(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
  var scene = Scene(input(start, count))
  scene.run()
  return 0
}

fuzz(fuzzOne)
