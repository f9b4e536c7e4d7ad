import Core
import Protocol

/// What the list must be, worked out from the journal by plain loops that share no code with Core.
struct Oracle {
  private(set) var order: ListOrder
  private(set) var entries: [EntryKey: ListedEntry] = [:]
  private(set) var members: [PublicID: MemberRecord] = [:]
  /// Of the last change that it took.
  private var history = History.none
  /// The digest of the list at every place that there ever was: one order may have been given
  /// twice.
  private var digests: [Place: Int] = [:]
  private var effects: Set<Effect> = []
  /// Every content that was ever ordered, lost journals included.
  private var orderedVersions: Set<Version> = []

  private struct Place: Hashable {
    let order: ListOrder
    let history: History
  }

  private struct Effect: Hashable {
    let sender: PublicID
    let transfer: TransferID
  }

  init(epoch: UInt64) {
    order = ListOrder(epoch: epoch, seq: 0)
    digests[Place(order: order, history: .none)] = digest
  }

  /// The list goes on in a new epoch as it is.
  mutating func beginEpoch(_ order: ListOrder) {
    self.order = order
    history = .none
    effects = []
    digests[Place(order: order, history: history)] = digest
  }

  /// Begins again where a master begins whose disk lost something.
  mutating func goBack(to replica: Replica) {
    order = replica.order
    history = replica.history
    effects = []
    entries = Dictionary(uniqueKeysWithValues: replica.list.unordered.map { ($0.key, $0) })
    members = replica.members
    digests[Place(order: order, history: history)] = digest
  }

  /// All of the list, in the order of the keys.
  var listed: [ListedEntry] { entries.values.sorted { $0.key < $1.key } }

  /// Whether an entry's content was ever ordered; what has no content counts as ordered.
  func wasOrdered(_ entry: Entry) -> Bool {
    entry.kind == .directory || orderedVersions.contains(entry.version)
  }

  /// What the digest was at an order; nil for one that never was.
  func digest(at order: ListOrder, _ history: History) -> Int? {
    digests[Place(order: order, history: history)]
  }

  /// Takes a journalled change. Returns: what is wrong with it, if anything.
  mutating func take(_ ordered: OrderedChange) -> String? {
    guard ordered.order == ListOrder(epoch: order.epoch, seq: order.seq + 1) else {
      return "the journal has a gap: \(ordered.order) behind \(order)"
    }
    order = ordered.order
    history = ordered.history
    if ordered.transfer.counter > 0 {
      let effect = Effect(sender: ordered.sender, transfer: ordered.transfer)
      guard effects.insert(effect).inserted else {
        return "transfer \(ordered.transfer) of \(ordered.sender) has a second effect"
      }
    }
    apply(ordered)
    digests[Place(order: order, history: history)] = digest
    return clash
  }

  private mutating func apply(_ ordered: OrderedChange) {
    let sender = ordered.sender
    switch ordered.change {
    case .added(let added, _):
      for entry in added {
        let key = EntryKey(sender, entry.id)
        let known = entries[key]
        orderedVersions.insert(entry.version)
        replace(at: entry.path, by: key)
        entries[key] = ListedEntry(
          entry: entry, owner: sender,
          claimed: known?.entry.path == entry.path ? known!.claimed : order.seq)
      }
    case .removed(let id): entries[EntryKey(sender, id)] = nil
    case .renamed(let id, let path, nil):
      let key = EntryKey(sender, id)
      guard let top = entries[key], top.entry.path != path else { return }
      replace(at: path, by: key)
      for (other, listed) in entries
      where other == key
        || (top.entry.kind == .directory && listed.owner == sender
          && listed.entry.path.isBelow(top.entry.path))
      {
        entries[other]!.entry.path = listed.entry.path.moved(from: top.entry.path, to: path)!
        entries[other]!.claimed = order.seq
      }
    case .renamed: break
    case .named(let name):
      if members[sender] == nil {
        members[sender] = MemberRecord(
          publicID: sender, name: name, admission: .approved, key: nil)
      }
      members[sender]!.name = name
    case .approved(let member): members[member.publicID] = member
    case .disapproved(let member):
      members[member.publicID] = member
      entries = entries.filter { $0.value.owner != member.publicID }
    case .released(let owner): entries = entries.filter { $0.value.owner != owner }
    }
  }

  private mutating func replace(at path: SharePath, by key: EntryKey) {
    for (other, listed) in entries
    where listed.entry.path == path && listed.owner == key.owner && other != key {
      entries[other] = nil
    }
  }

  /// Two entries that cannot both be shown: at one path, or one below a file.
  private var clash: String? {
    var kinds: [SharePath: EntryKind] = [:]
    for listed in entries.values {
      if let kind = kinds[listed.entry.path], kind != .directory || listed.entry.kind != .directory
      {
        return "two claims of \(text(listed.entry.path))"
      }
      kinds[listed.entry.path] = listed.entry.kind
    }
    for listed in entries.values {
      var ancestor = listed.entry.path.parent
      while let one = ancestor {
        if let kind = kinds[one], kind != .directory {
          return "\(text(listed.entry.path)) lies below a file"
        }
        ancestor = one.parent
      }
    }
    return nil
  }

  private var digest: Int { Self.digest(of: entries.values, members.values) }

  /// A number that is the same for the same entries and members, whatever their order.
  static func digest(
    of entries: some Sequence<ListedEntry>, _ members: some Sequence<MemberRecord>
  ) -> Int {
    var sum = 0
    for listed in entries {
      var hasher = Hasher()
      hasher.combine(listed.entry)
      hasher.combine(listed.owner)
      hasher.combine(listed.claimed)
      sum &+= hasher.finalize()
    }
    for member in members {
      var hasher = Hasher()
      hasher.combine(member.publicID)
      hasher.combine(member.name)
      hasher.combine(member.admission)
      sum &+= hasher.finalize()
    }
    return sum
  }
}

/// A path for a person to read.
func text(_ path: SharePath) -> String { String(decoding: path.bytes, as: UTF8.self) }
