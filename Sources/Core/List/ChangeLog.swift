package import Protocol

/// What changed when, so that a replica gets only what it lacks.
///
/// It remembers for each entry and member only its latest change, by place: (seq, offset in that
/// seq). What a page carries is the state of now, so the log is never longer than twice what there
/// is to tell.
package struct ChangeLog: Sendable {
  private enum Subject {
    case entry(EntryKey)
    case member(PublicID)
  }

  /// What was changed where.
  private struct Record {
    let seq: UInt64
    let offset: UInt32
    /// An entry's number in `entries`, or a member's with `memberBit`.
    let subject: UInt32
  }

  /// An entry that changed, those taken off included.
  private struct Changed {
    let owner: PublicID
    /// Of its latest record, in `records`.
    var latest: UInt32
    let id: EntryID

    var key: EntryKey { EntryKey(owner, id) }
  }

  /// Numbers of members are below it, and there are never as many entries.
  private static let memberBit: UInt32 = 1 << 31

  private var records: ContiguousArray<Record> = []
  private var entries = Arena<Changed>()
  private var entriesByKey = IndexTable()
  /// The latest record of each member.
  private var members: [PublicID: UInt32] = [:]
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
    let subjects = entries.count + members.count
    guard records.count > 2 * subjects + 1_024 || tombstones > tombstoneLimit else { return }
    let dropAll = tombstones > tombstoneLimit
    var kept: ContiguousArray<Record> = []
    kept.reserveCapacity(subjects)
    tombstones = 0
    for (index, record) in records.enumerated() where isLatest(index) {
      if case .entry(let key) = subject(of: record), replica.list[key] == nil {
        if dropAll {
          floor = max(floor, record.seq)
          forget(record.subject)
          continue
        }
        tombstones += 1
      }
      setLatest(UInt32(kept.count), of: record.subject)
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
      if isLatest(index) {
        let item = self.item(subject(of: record), in: replica)
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
    let index = UInt32(records.count)
    let number: UInt32
    switch subject {
    case .member(let publicID):
      members[publicID] = index
      number = publicID.value | Self.memberBit
    case .entry(let key):
      let hash = IndexTable.hash(key)
      if let known = entriesByKey.find(hash, { entries[$0].key == key }) {
        entries[known].latest = index
        number = known
      } else {
        number = entries.insert(Changed(owner: key.owner, latest: index, id: key.id))
        entriesByKey.insert(hash, number)
      }
    }
    records.append(Record(seq: place.0, offset: place.1, subject: number))
  }

  private func subject(of record: Record) -> Subject {
    record.subject & Self.memberBit != 0
      ? .member(PublicID(record.subject & ~Self.memberBit)) : .entry(entries[record.subject].key)
  }

  /// Whether nothing changed the same once more since then.
  private func isLatest(_ index: Int) -> Bool {
    let subject = records[index].subject
    return subject & Self.memberBit != 0
      ? members[PublicID(subject & ~Self.memberBit)] == UInt32(index)
      : entries[subject].latest == UInt32(index)
  }

  private mutating func setLatest(_ index: UInt32, of subject: UInt32) {
    if subject & Self.memberBit != 0 {
      members[PublicID(subject & ~Self.memberBit)] = index
    } else {
      entries[subject].latest = index
    }
  }

  /// Forgets an entry whose last record is dropped.
  private mutating func forget(_ number: UInt32) {
    entriesByKey.remove(IndexTable.hash(entries[number].key), number)
    entries.remove(number)
  }
}
