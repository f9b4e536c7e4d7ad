package import Core
package import Protocol
import Sealing
package import State
package import System

/// The master's memory: every accepted change is written here before anyone is told of it.
package final class MasterJournal: Sendable {
  private let log: RecordLog

  private init(_ log: RecordLog) { self.log = log }

  /// What became of a journal at a start.
  package struct Opened: Sendable {
    package let journal: MasterJournal
    package let master: Master
    /// What a person is to hear of it; nil where all is well.
    package let remark: String?
  }

  /// Restores the master from the journal at `path`, or begins a new epoch where there is none. A
  /// journal that is whole goes on; else, and where most of it is history, a fresh one is written
  /// that begins with a snapshot, so that it does not grow for ever.
  /// One that is damaged is kept under another name; what it held before the damage goes on in a
  /// new epoch, and the rest is taken back from the members.
  package static func open(
    _ path: String, vault: MasterVault, restoration: Restoration = Restoration(),
    settings: Master.Settings, signer: MasterSigner
  ) throws(StateFault) -> Opened {
    let content = try RecordLog.load(.journal, path)
    let isOlder = content?.isOlder ?? false
    func begin(_ epoch: UInt64, isRebuilt: Bool) -> Master {
      Master(
        epoch: epoch, spareEpoch: SecureRandom.uint64() | 1, vault: vault,
        restoration: restoration, settings: settings, isRebuilt: isRebuilt,
        hash: ListHash.sha256, signer: signer)
    }
    let restored = restore(content?.records ?? [], isOlder: isOlder) { begin($0, isRebuilt: false) }
    let damage: String? =
      if case .damaged(let position)? = content?.end {
        "at byte \(position)"
      } else {
        restored.fault.map { "record \($0.record): \($0.reason)" }
      }
    do throws(SystemError) {
      let aside = damage == nil ? nil : try StateFile.setAside(path)
      let remark = aside.map {
        "\(path) was damaged (\(damage ?? "")): it is kept as \($0), and the list is rebuilt from the members"
      }
      let newEpoch = SecureRandom.uint64() | 1
      var master: Master
      if let rest = restored.master {
        master = rest
        if damage == nil, !isOlder, let content, let log = try goOn(path, content) {
          return Opened(journal: MasterJournal(log), master: master, remark: nil)
        }
        // Where the machine crashed, what was written last may be missing though others have seen
        // it: the same places in the order must not be given away twice. What had no history begins
        // one.
        if damage != nil || isOlder || !isWhole(content?.records ?? []) {
          master.beginEpoch(newEpoch)
        }
      } else {
        // No journal, or one that cannot be read: what the members still know is taken back from
        // them.
        master = begin(newEpoch, isRebuilt: true)
      }
      let log = try RecordLog(.journal, path, replacingWith: snapshot(of: master))
      return Opened(journal: MasterJournal(log), master: master, remark: remark)
    } catch { throw StateFault(error) }
  }

  /// Notes a clean end: nothing that was told to anybody is missing here. Durable on return.
  package func close() throws(SystemError) {
    try log.append(JournalRecord.end.encoded)
    try log.synchronise()
  }

  /// Writes an accepted change. Any thread.
  package func append(_ ordered: OrderedChange) throws(SystemError) {
    try log.append(JournalRecord.change(ordered).encoded)
  }

  /// Makes the journal anew with the list as it is: a new epoch has begun. Durable on return.
  func begin(_ master: Master) throws(SystemError) {
    try log.rewrite(with: Self.snapshot(of: master))
  }

  /// Makes the journal anew where most of it is history. `master` may be ahead of what was
  /// appended. Where that fails the journal is as good as before, only longer.
  package func compactIfWorthIt(_ master: () -> Master) throws(SystemError) {
    if log.isWorthRewriting { try log.rewrite(with: Self.snapshot(of: master())) }
  }
}

// MARK: - Records

extension MasterJournal {
  /// Goes on with a journal of this start of the machine that ends with a whole record, as long as
  /// it is not worth making anew; else nil.
  private static func goOn(
    _ path: String, _ content: RecordLog.Content
  ) throws(SystemError) -> RecordLog? {
    guard content.end == .whole, let first = content.records.first,
      case .epoch(_, let boot)? = try? JournalRecord(decoding: first), boot == bootID
    else { return nil }
    let snapshot = content.records.prefix { !JournalRecord.isChange($0) }
    let log = try RecordLog(.journal, goingOnAt: path, behind: snapshot)
    return log.isWorthRewriting ? nil : log
  }

  /// Whether nothing can be missing: it ended cleanly, or only the process died since it was begun.
  private static func isWhole(_ records: [[UInt8]]) -> Bool {
    if records.last == JournalRecord.end.encoded { return true }
    guard let first = records.first, case .epoch(_, let boot)? = try? JournalRecord(decoding: first)
    else { return false }
    return boot == bootID
  }

  /// Names the time since the machine started.
  private static var bootID: [UInt8] {
    (try? File.readAll("/proc/sys/kernel/random/boot_id", limit: 64)) ?? []
  }

  private struct Restored {
    /// nil where not even the epoch could be read.
    var master: Master?
    /// The first record that makes no sense, and why.
    var fault: (record: Int, reason: DecodingFault)?
  }

  /// What the records say, up to the first that makes no sense. `isOlder`: of a format without
  /// histories.
  private static func restore(
    _ records: [[UInt8]], isOlder: Bool, _ begin: (UInt64) -> Master
  ) -> Restored {
    var restored = Restored()
    var reader = JournalReader()
    for (index, bytes) in records.enumerated() {
      do throws(DecodingFault) {
        guard let record = try reader.next(bytes) else { continue }
        if case .epoch(let epoch, _) = record {
          restored.master = begin(epoch)
        } else {
          try apply(record, isOlder: isOlder, to: &restored.master!)
        }
      } catch {
        restored.fault = (index, error)
        break
      }
    }
    return restored
  }

  private static func apply(
    _ record: JournalRecord, isOlder: Bool, to master: inout Master
  ) throws(DecodingFault) {
    switch record {
    case .change(let ordered):
      guard isOlder || master.isContinued(by: ordered) else {
        throw .invalid("journal: another history")
      }
      master.restore(ordered)
    case .answer(let ordered): master.restore(answer: ordered)
    case .snapshot(let order, let page):
      let history = page.head.history
      for item in page.items { master.restore(item, order: order, history: history) }
      if page.items.isEmpty { master.restoreEmpty(order: order, history: history) }
    case .histories(let histories): master.restore(earlier: histories)
    case .epoch, .end: break
    }
  }

  private static func snapshot(of master: Master) -> [[UInt8]] {
    var records = [JournalRecord.epoch(master.replica.order.epoch, boot: bootID).encoded]
    var page = PageBody(head: master.replica.mark, items: [])
    var size = 0
    func flush() {
      records.append(JournalRecord.snapshot(master.replica.order, page).encoded)
      page.items.removeAll()
      size = 0
    }
    func add(_ item: PageItem) {
      if size + item.encodedBound > Limits.listBody { flush() }
      page.items.append(item)
      size += item.encodedBound
    }
    for member in master.replica.members.values.sorted(by: { $0.publicID < $1.publicID }) {
      add(.member(member))
    }
    // In the order in which a new epoch tells them (`Master.beginEpoch`).
    for listed in master.replica.list.inOrder { add(.entry(listed)) }
    flush()
    // The latest first: each record goes before those that are restored already.
    var earlier = master.replica.histories.all.dropLast()
    while !earlier.isEmpty {
      let part = Array(earlier.suffix(JournalRecord.historiesPerRecord))
      earlier = earlier.dropLast(part.count)
      records.append(JournalRecord.histories(part).encoded)
    }
    return records + master.answers.map { JournalRecord.answer($0).encoded }
  }
}
