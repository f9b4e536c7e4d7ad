import Protocol

/// Judges the entries of one ADD_FILES in turn: what one of them claims stands in the way of the
/// next.
struct BatchTrial {
  private(set) var accepted: [Entry] = []
  private(set) var rejected: [RejectedEntry] = []
  private let list: ShareList
  private let owner: PublicID
  private let limits: ListLimits
  /// Bytes of paths that the accepted ones add to what the owner has.
  private var pathBytes = 0
  /// What the batch itself has put at a path; only kinds matter, since all is one owner's.
  private var kinds: [SharePath: EntryKind] = [:]
  private var seen: Set<EntryID> = []
  /// What the answer takes that names all accepted ones.
  private var bytes = 0
  /// All that lies above a path of the batch.
  private var ancestors: Set<SharePath> = []

  init(_ list: ShareList, owner: PublicID, limits: ListLimits) {
    self.list = list
    self.owner = owner
    self.limits = limits
  }

  mutating func judge(_ entry: Entry) {
    if let reason = rejection(of: entry) {
      rejected.append(RejectedEntry(entry: entry.id, reason: reason))
    } else {
      accepted.append(entry)
      bytes += entry.encodedBound
      kinds[entry.path] = entry.kind
      seen.insert(entry.id)
      if list[EntryKey(owner, entry.id)]?.entry.path != entry.path {
        pathBytes += entry.path.bytes.count
      }
      var ancestor = entry.path.parent
      while let one = ancestor, ancestors.insert(one).inserted {
        if !list.isAbove(one) { pathBytes += one.bytes.count }
        ancestor = one.parent
      }
    }
  }

  /// Which limit of the list it would break; nil for new content of what is there already.
  private func limitReached(by entry: Entry) -> Rejection? {
    let known = list[EntryKey(owner, entry.id)]
    if known?.entry.path == entry.path { return nil }
    if let reason = limits.rejection(of: entry.path) { return reason }
    // What it takes the place of counts still: a list that is nearly full is.
    let bytes = list.pathBytes(ownedBy: owner) + pathBytes + entry.path.bytes.count
    if bytes > limits.memberPathBytes { return .shareFull }
    if known != nil { return nil }
    if list.count + seen.count >= limits.entries { return .listFull }
    return list.count(ownedBy: owner) + seen.count >= limits.memberEntries ? .shareFull : nil
  }

  private func rejection(of entry: Entry) -> Rejection? {
    if let reason = limitReached(by: entry) { return reason }
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
