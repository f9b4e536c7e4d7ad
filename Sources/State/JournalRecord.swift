package import Protocol

/// One record of the master's journal.
package enum JournalRecord: Equatable, Sendable {
  /// The first: the epoch, and since which start of the machine it is written.
  case epoch(UInt64, boot: [UInt8])
  case change(OrderedChange)
  /// A part of what there was when the journal was made.
  case snapshot(ListOrder, PageBody)
  /// An answer that is kept for second copies.
  case answer(OrderedChange)
  /// Histories of the places before the snapshot's, the last of them that of the place before it.
  case histories([History])
  /// The last, at a clean end.
  case end

  /// Histories of one record at most: well below what a record may have.
  package static let historiesPerRecord = 8_192

  private enum Kind {
    static let epoch: UInt8 = 1
    static let change: UInt8 = 2
    static let snapshot: UInt8 = 3
    static let answer: UInt8 = 4
    static let end: UInt8 = 5
    static let histories: UInt8 = 6
  }

  /// Whether a record is of a change, or of an end, rather than of what there was at first.
  package static func isChange(_ bytes: [UInt8]) -> Bool {
    bytes.first == Kind.change || bytes.first == Kind.end
  }

  package init(decoding bytes: [UInt8]) throws(DecodingFault) {
    var reader = ByteReader(bytes)
    switch try reader.uint8() {
    case Kind.epoch:
      let epoch = try reader.uint64()
      guard epoch != 0 else { throw .invalid("epoch") }
      self = .epoch(epoch, boot: try reader.fixed(reader.remaining))
    case Kind.change: self = .change(try Self.ordered(bytes))
    case Kind.answer: self = .answer(try Self.ordered(bytes))
    case Kind.snapshot:
      let order = try reader.listOrder()
      self = .snapshot(order, try PageBody(decoding: Array(bytes.dropFirst(17))))
    case Kind.histories:
      let count = try reader.count(of: History.length, atMost: Self.historiesPerRecord)
      var histories: [History] = []
      for _ in 0..<count { histories.append(try reader.history()) }
      try reader.finish()
      self = .histories(histories)
    case Kind.end:
      try reader.finish()
      self = .end
    default: throw .invalid("journal")
    }
  }

  package var encoded: [UInt8] {
    var writer = ByteWriter(reserving: 64)
    switch self {
    case .epoch(let epoch, let boot):
      writer.put(Kind.epoch)
      writer.put(epoch)
      return writer.bytes + boot
    case .change(let ordered): return Self.encode(Kind.change, ordered)
    case .answer(let ordered): return Self.encode(Kind.answer, ordered)
    case .snapshot(let order, let page):
      writer.put(Kind.snapshot)
      writer.put(order)
      return writer.bytes + page.encoded()
    case .histories(let histories):
      writer.put(Kind.histories)
      writer.put(UInt32(histories.count))
      for history in histories { writer.put(history) }
      return writer.bytes
    case .end: return [Kind.end]
    }
  }

  private static func ordered(_ record: [UInt8]) throws(DecodingFault) -> OrderedChange {
    guard let ordered = try OrderedChange.decode(Message(decoding: Array(record.dropFirst())))
    else { throw .invalid("journal") }
    return ordered
  }

  private static func encode(_ kind: UInt8, _ ordered: OrderedChange) -> [UInt8] {
    guard let bytes = try? ordered.message().encoded() else {
      preconditionFailure("an ordered change fits a control message")
    }
    return [kind] + bytes
  }
}

/// Reads a journal's records one after the other, and sees that they fit together. A master can
/// take what it gives.
package struct JournalReader: Sendable {
  private var order = ListOrder.none
  private var hasChanges = false

  /// At the beginning of a journal.
  package init() {}

  /// The next record. Throws where it makes no sense, or none where it stands. A change that a
  /// snapshot is ahead of is nil: it was appended while the snapshot was made.
  package mutating func next(_ bytes: [UInt8]) throws(DecodingFault) -> JournalRecord? {
    let record = try JournalRecord(decoding: bytes)
    if order == .none {
      guard case .epoch(let epoch, _) = record else { throw .invalid("journal: no epoch") }
      order = ListOrder(epoch: epoch, seq: 0)
      return record
    }
    switch record {
    case .epoch: throw .invalid("journal: a second epoch")
    case .snapshot(let at, _):
      guard at.epoch == order.epoch, !hasChanges, order.seq == 0 || order.seq == at.seq else {
        throw .invalid("journal: a snapshot out of order")
      }
      order = at
    case .change(let ordered):
      hasChanges = true
      guard ordered.order.epoch == order.epoch else { throw .invalid("journal: another epoch") }
      if ordered.order.seq <= order.seq { return nil }
      guard ordered.order.seq == order.seq &+ 1 else { throw .invalid("journal: a gap") }
      order = ordered.order
    case .answer, .histories, .end: break
    }
    return record
  }
}
