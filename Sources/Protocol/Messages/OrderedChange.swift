/// A change at its place in the order, with the history that it makes.
package struct OrderedChange: Equatable, Sendable {
  package let order: ListOrder
  package let sender: PublicID
  package let transfer: TransferID
  package let change: Change
  /// Of the list behind this change; `.none` before it has its place.
  package let history: History
  /// The change in bytes, as its history counts it and its message carries it.
  private let encoded: [UInt8]

  /// How long it is there, with what every change has.
  package var bytes: Int { encoded.count + 80 }

  package init(
    order: ListOrder, sender: PublicID, transfer: TransferID, change: Change,
    history: History = .none
  ) {
    self.init(
      order: order, sender: sender, transfer: transfer, change: change, history: history,
      encoded: change.encoded)
  }

  private init(
    order: ListOrder, sender: PublicID, transfer: TransferID, change: Change, history: History,
    encoded: [UInt8]
  ) {
    self.order = order
    self.sender = sender
    self.transfer = transfer
    self.change = change
    self.history = history
    self.encoded = encoded
  }

  /// The same change with its history.
  package func with(_ history: History) -> OrderedChange {
    OrderedChange(
      order: order, sender: sender, transfer: transfer, change: change, history: history,
      encoded: encoded)
  }

  /// What the history behind this change is the hash of: the history before it, and the change as
  /// it is told to everyone. `docs/protocol.md` has the bytes.
  package func hashed(behind previous: History) -> [UInt8] {
    var writer = ByteWriter(reserving: encoded.count + 80)
    writer.put(previous)
    writer.put(change.opcode.rawValue)
    writer.put(order)
    writer.put(sender)
    writer.put(transfer)
    return writer.bytes + encoded
  }

  /// The message that carries it to everyone (or, `toHub`, a decision to the hub).
  package func message(toHub: Bool = false) -> Message {
    // The history stands where the hub cannot see it: it would tell a guessed path from a wrong
    // one.
    let body = history.bytes + encoded
    let ordered = Ordered(order: order, sender: sender, transfer: transfer, body: body)
    switch change {
    case .added: return .filesAdded(ordered)
    case .removed: return .fileRemoved(ordered)
    case .renamed: return .fileRenamed(ordered)
    case .named: return .nameUpdated(ordered)
    case .released: return .clientReleased(ordered)
    case .approved(let member):
      let decision = Decision(
        order: order, publicID: member.publicID, generation: member.generation, body: body)
      return toHub ? .approveClient(decision) : .clientApproved(decision)
    case .disapproved(let member):
      let decision = Decision(
        order: order, publicID: member.publicID, generation: member.generation, body: body)
      return toHub ? .disApproveClient(decision) : .clientDisApproved(decision)
    }
  }

  /// The change that `message` carries, its body opened; nil where it carries none.
  package static func decode(_ message: Message) throws(DecodingFault) -> OrderedChange? {
    switch message {
    case .clientApproved(let decision), .approveClient(let decision):
      return try OrderedChange(decision, isApproval: true)
    case .clientDisApproved(let decision), .disApproveClient(let decision):
      return try OrderedChange(decision, isApproval: false)
    case .filesAdded(let ordered), .fileRemoved(let ordered), .fileRenamed(let ordered),
      .nameUpdated(let ordered), .clientReleased(let ordered):
      var reader = ByteReader(ordered.body)
      let history = try reader.history()
      let change = try Change(message.opcode, from: &reader)
      try reader.finish()
      return OrderedChange(
        order: ordered.order, sender: ordered.sender, transfer: ordered.transfer, change: change,
        history: history, encoded: Array(ordered.body.dropFirst(History.length)))
    default: return nil
    }
  }

  private init(_ decision: Decision, isApproval: Bool) throws(DecodingFault) {
    var reader = ByteReader(decision.body)
    let history = try reader.history()
    let member = try reader.memberRecord()
    try reader.finish()
    guard member.publicID == decision.publicID else { throw .invalid("public id") }
    guard member.generation == decision.generation else { throw .invalid("generation") }
    self.init(
      order: decision.order, sender: .master, transfer: TransferID(incarnation: 0, counter: 0),
      change: isApproval ? .approved(member) : .disapproved(member), history: history,
      encoded: Array(decision.body.dropFirst(History.length)))
  }
}

extension Change {
  /// Of the message that tells it to everyone.
  fileprivate var opcode: Opcode {
    switch self {
    case .added: .filesAdded
    case .removed: .fileRemoved
    case .renamed: .fileRenamed
    case .named: .nameUpdated
    case .approved: .clientApproved
    case .disapproved: .clientDisApproved
    case .released: .clientReleased
    }
  }

  fileprivate var encoded: [UInt8] {
    var writer = ByteWriter(reserving: 256)
    switch self {
    case .added(let entries, let rejected):
      writer.put(UInt32(entries.count))
      for entry in entries { entry.encode(into: &writer) }
      writer.put(UInt32(rejected.count))
      for one in rejected {
        writer.put(one.entry)
        writer.put(one.reason.rawValue)
      }
    case .removed(let entry): writer.put(entry)
    case .renamed(let entry, let path, let rejection):
      writer.put(entry)
      writer.putBytes16(path.bytes)
      writer.put(rejection?.rawValue ?? 0)
    case .named(let name): writer.put(name.text)
    case .released(let publicID): writer.put(publicID)
    case .approved(let member), .disapproved(let member): writer.put(member)
    }
    return writer.bytes
  }
}
