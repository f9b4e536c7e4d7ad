import Protocol

/// Judges the entries of one ADD_FILES in turn: what one of them claims stands in the way of the
/// next.
struct BatchValidator {
  private(set) var accepted: [Entry] = []
  private(set) var rejected: [RejectedEntry] = []
  /// What it costs everybody beside what the list grows by.
  private(set) var work = 0
  private let list: ShareList
  private let owner: PublicID
  private let limits: ListLimits
  /// Bytes of paths that the accepted ones add to what the owner has.
  private var pathBytes = 0
  /// What the batch itself has claimed so far; made when its second entry comes, since most have
  /// one only.
  private var claimed: ShareList?
  private var seen: Set<EntryID> = []
  /// What the answer takes that names all accepted ones.
  private var bytes = 0

  init(_ list: ShareList, owner: PublicID, limits: ListLimits) {
    self.list = list
    self.owner = owner
    self.limits = limits
  }

  mutating func judge(_ entry: Entry) {
    if claimed == nil, !accepted.isEmpty {
      var list = ShareList()
      for one in accepted { list.upsert(ListedEntry(entry: one, owner: owner, claimed: 0)) }
      claimed = list
    }
    if let reason = rejection(of: entry) {
      work += MemberWork.cost(of: entry)
      rejected.append(RejectedEntry(entry: entry.id, reason: reason))
    } else {
      accepted.append(entry)
      bytes += entry.encodedBound
      seen.insert(entry.id)
      let key = EntryKey(owner, entry.id)
      let known = list[key]
      if known != nil || !list.replaced(by: key, at: entry.path).isEmpty {
        work += MemberWork.cost(of: entry)
      }
      if known?.entry.path != entry.path { pathBytes += entry.path.bytes.count }
      pathBytes += list.impliedBytes(above: entry.path, beside: claimed)
      claimed?.upsert(ListedEntry(entry: entry, owner: owner, claimed: 0))
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
    return claimed?.rejection(of: entry, owner: owner)
  }
}
