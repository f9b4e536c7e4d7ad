import Protocol

/// When the list has an own entry as it is here, and when it is about to have it another way.
extension Member {
  /// Keeps an entry once, where the list has it as it is here. Not while an add of it is on its
  /// way, or waits: the answer to that is told from others by how far the entry had come.
  mutating func settle(_ id: EntryID) {
    if outbox.isAdding(id) || outbox.isWaitingToAdd(id) { return }
    own.settle(id, in: listedOwn)
  }

  /// A change of the list is about to be applied: what it has of ours from then on is no longer
  /// what is here.
  mutating func setApart(whatChangesBy ordered: OrderedChange) {
    guard let publicID, own.hasSettled else { return }
    let list = replica.list
    func standing(at path: SharePath, but id: EntryID) -> [EntryID] {
      list.replaced(by: EntryKey(publicID, id), at: path).map(\.id)
    }
    var ids: [EntryID] = []
    switch ordered.change {
    case .added(let entries, _) where ordered.sender == publicID:
      for entry in entries { ids += [entry.id] + standing(at: entry.path, but: entry.id) }
    case .removed(let id) where ordered.sender == publicID: ids = [id]
    case .renamed(let id, let path, nil) where ordered.sender == publicID:
      ids = list.subtree(of: EntryKey(publicID, id)).map(\.entry.id) + standing(at: path, but: id)
    case .released(publicID): return own.setAllApart(in: listedOwn)
    case .disapproved(let member) where member.publicID == publicID:
      return own.setAllApart(in: listedOwn)
    default: break
    }
    for id in ids { own.setApart(id, in: listedOwn) }
  }

  /// The same of a run of pages.
  mutating func setApart(whatChangesBy run: PageRun) {
    guard let publicID, own.hasSettled else { return }
    guard let told = run.told else { return own.setAllApart(in: listedOwn) }
    for item in told {
      switch item {
      case .entry(let listed) where listed.owner == publicID:
        own.setApart(listed.entry.id, in: listedOwn)
      case .removed(let key) where key.owner == publicID: own.setApart(key.id, in: listedOwn)
      default: break
      }
    }
  }
}
