import Protocol

/// How much of everybody's time the changes of each member may take, so that one that changes as
/// much as it can leaves the others' reads and closes theirs.
///
/// What makes the list longer is bounded by how long it may get, and costs nothing here: a folder
/// of a million files is announced as fast as it goes. What changes, moves or takes off what is
/// there, or is refused, is counted in changed entries.
struct MemberWork {
  private let perSecond: Int
  private var allowances: [PublicID: Allowance] = [:]

  /// A name, and what makes no sense: told to all, and by itself.
  static let name = 10
  /// One entry that is taken off comes by itself too.
  static let removal = 2
  /// A rename goes through what is below, and tells one thing of it.
  private static let renamedEntries = 32
  /// Each directory above an entry takes some of what the entry takes.
  private static let directories = 8

  init(perSecond: Int) { self.perSecond = perSecond }

  static func cost(of entry: Entry) -> Int {
    // What is deeper than anybody may have is refused by that alone.
    1 + min(entry.path.depth, ListLimits().depth) / directories
  }

  static func rename(of entries: Int) -> Int { 1 + entries / renamedEntries }

  /// Whether a member has to wait: it has used more than there was.
  func isSpent(_ member: PublicID, now: Instant) -> Bool {
    member != .master && allowances[member]?.isSpent(now: now) == true
  }

  /// Counts what was done for a member, more than there is left too: the next change waits for it.
  mutating func spend(_ work: Int, for member: PublicID, now: Instant) {
    if member == .master || work == 0 { return }
    allowances[member, default: Allowance(perSecond: perSecond, now: now)].spend(work, now: now)
  }
}
