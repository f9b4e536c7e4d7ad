/// Why the master does not take an entry or a rename. The raw values are the wire's.
package enum Rejection: UInt8, Sendable {
  /// Somebody else had the path first.
  case exists = 1
  /// A part of the path is somebody's file.
  case notADirectory = 2
  /// The path is a directory.
  case isADirectory = 3
  /// The entry is not the sender's.
  case notTheOwner = 4
  /// No such entry.
  case unknownEntry = 5
  /// The list is full.
  case listFull = 6
  /// The path would be too long.
  case pathTooLong = 7
  /// A symlink would lead out of the share from there.
  case linkLeadsOut = 8
  /// No such thing can be told to anybody.
  case impossible = 9
  /// More than the answer to one message has room for: it can be proposed again by itself.
  case tooMuch = 10
  /// A later process with the same key has proposed changes before: this one's clock was set back, and its state
  /// folder is an older copy.
  case outdated = 11
}

/// An entry that was not taken.
package struct RejectedEntry: Equatable, Sendable {
  package let entry: EntryID
  package let reason: Rejection
  package init(entry: EntryID, reason: Rejection) {
    self.entry = entry
    self.reason = reason
  }
}

/// What everyone knows of one member.
package struct MemberRecord: Equatable, Sendable {
  package let publicID: PublicID
  package var name: DeviceName
  package var admission: Admission
  /// The key that was decided about, so that nobody else profits from the number; nil for the master itself.
  package let key: DeviceKey?
  package init(publicID: PublicID, name: DeviceName, admission: Admission, key: DeviceKey?) {
    self.publicID = publicID
    self.name = name
    self.admission = admission
    self.key = key
  }
}

/// One change of the list, as the master ordered it.
package enum Change: Equatable, Sendable {
  case added([Entry], rejected: [RejectedEntry])
  case removed(EntryID)
  /// `rejection`: nil where it was done.
  case renamed(EntryID, to: SharePath, rejection: Rejection?)
  case named(DeviceName)
  case approved(MemberRecord)
  case disapproved(MemberRecord)
  /// A member left for good or for long: its entries leave the list, its paths are free.
  case released(PublicID)
}

/// A change at its place in the order.
package struct OrderedChange: Equatable, Sendable {
  package let order: ListOrder
  package let sender: PublicID
  package let transfer: TransferID
  package let change: Change
  package init(order: ListOrder, sender: PublicID, transfer: TransferID, change: Change) {
    self.order = order
    self.sender = sender
    self.transfer = transfer
    self.change = change
  }

  /// The message that carries it to everyone (or, `toHub`, a decision to the hub).
  package func message(toHub: Bool = false) -> Message {
    var writer = ByteWriter(reserving: 256)
    func ordered() -> Ordered {
      Ordered(order: order, sender: sender, transfer: transfer, body: writer.bytes)
    }
    switch change {
    case .added(let entries, let rejected):
      writer.put(UInt32(entries.count))
      for entry in entries { entry.encode(into: &writer) }
      writer.put(UInt32(rejected.count))
      for one in rejected {
        writer.put(one.entry)
        writer.put(one.reason.rawValue)
      }
      return .filesAdded(ordered())
    case .removed(let entry):
      writer.put(entry)
      return .fileRemoved(ordered())
    case .renamed(let entry, let path, let rejection):
      writer.put(entry)
      writer.putBytes16(path.bytes)
      writer.put(rejection?.rawValue ?? 0)
      return .fileRenamed(ordered())
    case .named(let name):
      writer.put(name.text)
      return .nameUpdated(ordered())
    case .released(let publicID):
      writer.put(publicID)
      return .clientReleased(ordered())
    case .approved(let member):
      writer.put(member)
      let decision = Decision(order: order, publicID: member.publicID, body: writer.bytes)
      return toHub ? .approveClient(decision) : .clientApproved(decision)
    case .disapproved(let member):
      writer.put(member)
      let decision = Decision(order: order, publicID: member.publicID, body: writer.bytes)
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
      let change = try Change(message.opcode, from: &reader)
      try reader.finish()
      return OrderedChange(
        order: ordered.order, sender: ordered.sender, transfer: ordered.transfer, change: change)
    default: return nil
    }
  }

  private init(_ decision: Decision, isApproval: Bool) throws(DecodingFault) {
    var reader = ByteReader(decision.body)
    let member = try reader.memberRecord()
    try reader.finish()
    guard member.publicID == decision.publicID else { throw .invalid("public id") }
    self.init(
      order: decision.order, sender: .master, transfer: TransferID(incarnation: 0, counter: 0),
      change: isApproval ? .approved(member) : .disapproved(member))
  }
}

extension Change {
  fileprivate init(_ opcode: Opcode, from reader: inout ByteReader) throws(DecodingFault) {
    switch opcode {
    case .filesAdded:
      let count = try reader.count(of: 50, atMost: Limits.entriesPerTransfer)
      var entries: [Entry] = []
      entries.reserveCapacity(count)
      for _ in 0..<count { entries.append(try Entry(from: &reader)) }
      let rejections = try reader.count(of: 17, atMost: Limits.entriesPerTransfer)
      var rejected: [RejectedEntry] = []
      for _ in 0..<rejections {
        rejected.append(
          RejectedEntry(entry: try reader.randomID(), reason: try reader.rejection()))
      }
      self = .added(entries, rejected: rejected)
    case .fileRemoved: self = .removed(try reader.randomID())
    case .fileRenamed:
      let entry = try reader.randomID()
      let path = try reader.path()
      let code = try reader.uint8()
      if code == 0 {
        self = .renamed(entry, to: path, rejection: nil)
      } else if let rejection = Rejection(rawValue: code) {
        self = .renamed(entry, to: path, rejection: rejection)
      } else {
        throw .invalid("rejection")
      }
    case .nameUpdated: self = .named(try reader.deviceName())
    default: self = .released(try reader.publicID())
    }
  }
}

extension ByteWriter {
  package mutating func put(_ member: MemberRecord) {
    put(member.publicID)
    put(member.admission.rawValue)
    put(member.name.text)
    put(member.key != nil)
    if let key = member.key { put(key) }
  }
}

extension ByteReader {
  package mutating func memberRecord() throws(DecodingFault) -> MemberRecord {
    let publicID = try publicID()
    guard let admission = Admission(rawValue: try uint8()) else { throw .invalid("admission") }
    return MemberRecord(
      publicID: publicID, name: try deviceName(), admission: admission,
      key: try bool() ? try deviceKey() : nil)
  }

  fileprivate mutating func rejection() throws(DecodingFault) -> Rejection {
    guard let rejection = Rejection(rawValue: try uint8()) else { throw .invalid("rejection") }
    return rejection
  }
}
