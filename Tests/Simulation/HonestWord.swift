import Protocol

/// What honest nodes have said to the master: nothing of theirs may change in any other way.
struct HonestWord {
  private struct Name: Hashable {
    let node: Int
    let transfer: TransferID
  }

  /// A second copy of a transfer may say more than the first.
  private var said: [Name: [Message]] = [:]

  mutating func note(_ message: Message, of node: Int) {
    guard let proposal = message.proposal else { return }
    let name = Name(node: node, transfer: proposal.transfer)
    if said[name]?.last != message { said[name, default: []].append(message) }
  }

  /// Whether a change is what a node proposed under this transfer.
  func has(_ change: Change, _ transfer: TransferID, of node: Int) -> Bool {
    let proposed = (said[Name(node: node, transfer: transfer)] ?? []).compactMap { message in
      (try? ProposedChange.decode(message))?.change
    }
    switch change {
    case .added(let entries, let rejected):
      var known: Set<Entry> = []
      for case .add(let some, _) in proposed { known.formUnion(some) }
      let ids = Set(known.map(\.id))
      return !proposed.isEmpty && known.isSuperset(of: entries)
        && rejected.allSatisfy { ids.contains($0.entry) }
    case .removed(let id): return proposed.contains(.remove(id))
    case .renamed(let id, let path, _): return proposed.contains(.rename(id, to: path))
    case .named(let name): return proposed.contains(.name(name))
    case .approved, .disapproved, .released: return true
    }
  }
}
