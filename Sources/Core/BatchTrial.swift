import Protocol

/// Judges the entries of one ADD_FILES in turn: what one of them claims stands in the way of the
/// next.
struct BatchTrial {
  private(set) var accepted: [Entry] = []
  private(set) var rejected: [RejectedEntry] = []
  private let list: ShareList
  private let owner: PublicID
  private let limit: Int
  /// What the batch itself has put at a path; only kinds matter, since all is one owner's.
  private var kinds: [SharePath: EntryKind] = [:]
  private var seen: Set<EntryID> = []
  /// What the answer takes that names all accepted ones.
  private var bytes = 0
  /// All that lies above a path of the batch.
  private var ancestors: Set<SharePath> = []

  init(_ list: ShareList, owner: PublicID, limit: Int) {
    self.list = list
    self.owner = owner
    self.limit = limit
  }

  mutating func judge(_ entry: Entry) {
    if let reason = rejection(of: entry) {
      rejected.append(RejectedEntry(entry: entry.id, reason: reason))
    } else {
      accepted.append(entry)
      bytes += entry.encodedBound
      kinds[entry.path] = entry.kind
      seen.insert(entry.id)
      var ancestor = entry.path.parent
      while let one = ancestor, ancestors.insert(one).inserted { ancestor = one.parent }
    }
  }

  private func rejection(of entry: Entry) -> Rejection? {
    if list[EntryKey(owner, entry.id)] == nil, list.count + seen.count >= limit { return .listFull }
    if seen.contains(entry.id) { return .exists }
    if bytes + entry.encodedBound > Limits.answerBody { return .tooMuch }
    if let reason = list.rejection(of: entry, owner: owner) { return reason }
    if let kind = kinds[entry.path], kind != entry.kind { return .exists }
    if entry.kind != .directory, ancestors.contains(entry.path) { return .isADirectory }
    var ancestor = entry.path.parent
    while let one = ancestor {
      if let kind = kinds[one], kind != .directory { return .notADirectory }
      ancestor = one.parent
    }
    return nil
  }
}
