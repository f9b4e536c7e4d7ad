package import Core
import Protocol
package import System

/// The master's memory: every accepted change is written here before anyone is told of it.
package final class MasterJournal: Sendable {
  private enum Kind {
    static let epoch: UInt8 = 1
    static let change: UInt8 = 2
    static let snapshot: UInt8 = 3
    static let answer: UInt8 = 4
    /// Written last, at a clean end.
    static let end: UInt8 = 5
  }

  private let log: RecordLog

  private init(_ log: RecordLog) { self.log = log }

  /// Restores the master from the journal at `path`, or begins a new epoch where there is none; then
  /// writes a fresh journal that begins with a snapshot, so that it does not grow for ever.
  package static func open(
    _ path: String, vault: MasterVault, settings: Master.Settings
  ) throws(SystemError) -> (MasterJournal, Master) {
    let records = try RecordLog.load(path) ?? []
    let newEpoch = SecureRandom.uint64() | 1
    let master: Master
    if let restored = restore(records, vault: vault, settings: settings) {
      // Where the machine crashed, what was written last may be missing though others have seen it: the
      // same places in the order must not be given away twice.
      master =
        isWhole(records)
        ? restored
        : Master(epoch: newEpoch, vault: vault, settings: settings, survivor: restored.replica)
    } else {
      // No journal, or one that cannot be read: what the members still know is taken back from them.
      master = Master(epoch: newEpoch, vault: vault, settings: settings, isRebuilt: true)
    }
    return (MasterJournal(try RecordLog(path: path, replacingWith: snapshot(of: master))), master)
  }

  /// Notes a clean end: nothing that was told to anybody is missing here. Durable on return.
  package func close() throws(SystemError) {
    try log.append([Kind.end])
    try log.synchronise()
  }

  /// Whether nothing can be missing: it ended cleanly, or only the process died since it was begun.
  private static func isWhole(_ records: [[UInt8]]) -> Bool {
    if records.last == [Kind.end] { return true }
    return records.first.map { Array($0.dropFirst(9)) } == bootID
  }

  /// Names the time since the machine started.
  private static var bootID: [UInt8] {
    (try? File.readAll("/proc/sys/kernel/random/boot_id", limit: 64)) ?? []
  }

  /// Writes an accepted change. Any thread.
  func append(_ ordered: OrderedChange) throws(SystemError) {
    try log.append(Self.record(Kind.change, ordered))
  }

  /// Makes the journal anew where most of it is history. `master` may be ahead of what was appended.
  func compactIfWorthIt(_ master: () -> Master) throws(SystemError) {
    if log.isWorthRewriting { try log.rewrite(with: Self.snapshot(of: master())) }
  }

  private static func restore(
    _ records: [[UInt8]], vault: MasterVault, settings: Master.Settings
  ) -> Master? {
    guard let first = records.first else { return nil }
    var reader = ByteReader(first)
    guard (try? reader.uint8()) == Kind.epoch, let epoch = try? reader.uint64(), epoch != 0 else {
      return nil
    }
    var master = Master(epoch: epoch, vault: vault, settings: settings)
    for record in records.dropFirst() {
      guard (try? apply(record, to: &master)) != nil else { return nil }
    }
    return master
  }

  private static func apply(_ record: [UInt8], to master: inout Master) throws(DecodingFault) {
    var reader = ByteReader(record)
    switch try reader.uint8() {
    case Kind.change:
      guard let ordered = try OrderedChange.decode(Message(decoding: Array(record.dropFirst()))),
        ordered.order.epoch == master.replica.order.epoch,
        ordered.order.seq <= master.replica.order.seq + 1
      else { throw .invalid("journal") }
      // A snapshot may have been ahead of the changes that were appended behind it.
      if ordered.order.seq > master.replica.order.seq { master.restore(ordered) }
    case Kind.answer:
      if let ordered = try OrderedChange.decode(Message(decoding: Array(record.dropFirst()))) {
        master.restore(answer: ordered)
      }
    case Kind.snapshot:
      let order = try reader.listOrder()
      let body = try PageBody(decoding: Array(record.dropFirst(17)))
      for item in body.items { master.restore(item, order: order) }
      if body.items.isEmpty { master.restoreEmpty(order: order) }
    case Kind.end: break
    default: throw .invalid("journal")
    }
  }

  private static func snapshot(of master: Master) -> [[UInt8]] {
    var epoch = ByteWriter()
    epoch.put(Kind.epoch)
    epoch.put(master.replica.order.epoch)
    var records = [epoch.bytes + bootID]
    let items =
      master.replica.members.values.sorted { $0.publicID < $1.publicID }.map { PageItem.member($0) }
      + master.replica.list.sorted.map { PageItem.entry($0) }
    var page = PageBody(items: [])
    var size = 0
    func flush() {
      var writer = ByteWriter()
      writer.put(Kind.snapshot)
      writer.put(master.replica.order)
      records.append(writer.bytes + page.encoded())
      page.items.removeAll()
      size = 0
    }
    for item in items {
      if size + item.encodedBound > Limits.listBody { flush() }
      page.items.append(item)
      size += item.encodedBound
    }
    flush()
    return records + master.answers.map { record(Kind.answer, $0) }
  }

  private static func record(_ kind: UInt8, _ ordered: OrderedChange) -> [UInt8] {
    guard let bytes = try? ordered.message().encoded() else {
      preconditionFailure("an ordered change fits a control message")
    }
    return [kind] + bytes
  }
}
