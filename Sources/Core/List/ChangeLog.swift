package import Protocol

/// What changed when, so that a replica gets only what it lacks.
///
/// It remembers for each entry and member only its latest change, by place: (seq, offset in that
/// seq). What a page carries is the state of now, so the log is never longer than twice what there
/// is to tell.
package struct ChangeLog: Sendable {
  private enum Subject: Hashable {
    case entry(EntryKey)
    case member(PublicID)
  }

  private struct Record {
    let seq: UInt64
    let offset: UInt32
    let subject: Subject
  }

  private var records: [Record] = []
  /// The latest place of each subject, those taken off included.
  private var latest: [Subject: (seq: UInt64, offset: UInt32)] = [:]
  private var tombstones = 0
  /// A replica older than this may have missed a removal that the log forgot.
  private var floor: UInt64 = 0
  /// Where the offsets of a restored snapshot begin: above those of every change. A cursor into the
  /// change that the snapshot took the place of then skips nothing, since it counted something
  /// else.
  private static let restoredOffsets: UInt32 = 1 << 31
  /// Removals remembered: a member away for longer takes the whole list again.
  private let tombstoneLimit: Int

  package init(tombstoneLimit: Int = 65_536) { self.tombstoneLimit = tombstoneLimit }

  /// Notes the effects of one ordered change.
  package mutating func note(_ ordered: OrderedChange, deltas: [ListDelta]) {
    var offset: UInt32 = 0
    func place() -> (UInt64, UInt32) {
      defer { offset += 1 }
      return (ordered.order.seq, offset)
    }
    for delta in deltas {
      switch delta {
      case .upserted(let listed): note(.entry(listed.key), at: place())
      case .removed(let listed):
        note(.entry(listed.key), at: place())
        tombstones += 1
      }
    }
    switch ordered.change {
    case .approved(let member), .disapproved(let member):
      note(.member(member.publicID), at: place())
    case .named: note(.member(ordered.sender), at: place())
    default: break
    }
  }

  /// Begins a journal's snapshot: of what was removed before it nothing is known.
  package mutating func beginRestored(at order: ListOrder) { floor = max(floor, order.seq) }

  /// Notes one thing of a journal's snapshot: all of them count as changed at its order.
  package mutating func noteRestored(_ item: PageItem, at order: ListOrder) {
    let place = (order.seq, Self.restoredOffsets + UInt32(records.count))
    switch item {
    case .entry(let listed): note(.entry(listed.key), at: place)
    case .member(let member): note(.member(member.publicID), at: place)
    case .removed: break
    }
  }

  /// Forgets what is superseded where that is worth the work. Amortised O(1) per note.
  package mutating func compact(_ replica: Replica) {
    guard records.count > 2 * latest.count + 1_024 || tombstones > tombstoneLimit else { return }
    let dropAll = tombstones > tombstoneLimit
    var kept: [Record] = []
    tombstones = 0
    for record in records {
      guard let last = latest[record.subject], last == (record.seq, record.offset) else { continue }
      if case .entry(let key) = record.subject, replica.list[key] == nil {
        if dropAll {
          floor = max(floor, record.seq)
          latest[record.subject] = nil
          continue
        }
        tombstones += 1
      }
      kept.append(record)
    }
    records = kept
  }

  /// The page behind `cursor` for `asker`, of about `Limits.listBody` bytes. `isConfirmed`: whether
  /// what the asker has was made by the same changes as this list; if not, it takes the whole list.
  package func page(
    after cursor: ListCursor, isConfirmed: Bool, for asker: PublicID, of replica: Replica
  ) -> FilesPage {
    let head = replica.order
    let known =
      isConfirmed && cursor.order.epoch == head.epoch && cursor.order.seq <= head.seq
      && max(cursor.order.seq, cursor.began) >= floor && cursor.order != .none
    let seq = known ? cursor.order.seq : 0
    let offset = known ? cursor.offset : 0
    let began = known ? cursor.began : head.seq
    var body = PageBody(asker: asker, head: replica.mark, items: [])
    var size = PageBody.headLength
    var index = firstRecord(afterSeq: seq, offset: offset)
    while index < records.count {
      let record = records[index]
      if let last = latest[record.subject], last == (record.seq, record.offset) {
        let item = self.item(record.subject, in: replica)
        if size + item.encodedBound > Limits.listBody {
          let next = ListCursor(
            order: ListOrder(epoch: head.epoch, seq: record.seq - 1), offset: record.offset,
            began: began)
          return FilesPage(
            after: cursor, next: next, more: true, restarts: !known, body: body.encoded())
        }
        size += item.encodedBound
        body.items.append(item)
      }
      index += 1
    }
    return FilesPage(
      after: cursor, next: ListCursor(order: head, offset: 0, began: 0), more: false,
      restarts: !known,
      body: body.encoded())
  }

  private func item(_ subject: Subject, in replica: Replica) -> PageItem {
    switch subject {
    case .entry(let key): replica.list[key].map { .entry($0) } ?? .removed(key)
    case .member(let publicID): .member(replica.members[publicID]!)
    }
  }

  /// Index of the first record that is not yet seen at (everything to `seq`, `offset` parts of the
  /// next).
  private func firstRecord(afterSeq seq: UInt64, offset: UInt32) -> Int {
    var low = 0
    var high = records.count
    while low < high {
      let middle = (low + high) / 2
      let record = records[middle]
      let seen = record.seq <= seq || (record.seq == seq + 1 && record.offset < offset)
      if seen { low = middle + 1 } else { high = middle }
    }
    return low
  }

  private mutating func note(_ subject: Subject, at place: (UInt64, UInt32)) {
    latest[subject] = place
    records.append(Record(seq: place.0, offset: place.1, subject: subject))
  }
}
