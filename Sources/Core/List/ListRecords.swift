import Protocol

/// Stands for 'none' where a record names another.
package let noRecord = UInt32.max

/// A name in a directory at which something is, or below which: what a path leads to.
struct Place: Sendable {
  let parent: UInt32
  var name: NamePool.Offset
  let nameLength: UInt8
  /// The entry that shows: the earliest claim.
  var claim = noRecord
  /// What lies below; `noRecord` where nothing does.
  var directory = noRecord
  /// In the directory that holds it, in the order in which they came.
  var next = noRecord
  var previous = noRecord
}

/// What lies below a place.
struct Directory: Sendable {
  var first = noRecord
  var last = noRecord
  /// Entries somewhere below.
  private(set) var entries = 0
  /// Whose they are: how many are one owner's, and how many each other's where there are others.
  private var owner = PublicID.master
  private var owned = 0
  private var rest: [PublicID: Int]?
  /// Whose entry was the first there: the place's path counts as that member's for as long as
  /// anything is below it.
  var payer: PublicID

  init(payer: PublicID) { self.payer = payer }

  /// An entry of a member comes somewhere below.
  mutating func add(_ member: PublicID) {
    entries += 1
    if owned == 0, rest == nil { owner = member }
    if member == owner {
      owned += 1
    } else {
      if rest == nil { rest = [:] }
      rest![member, default: 0] += 1
    }
  }

  /// One of those goes.
  mutating func remove(_ member: PublicID) {
    entries -= 1
    if member == owner {
      owned -= 1
    } else if let left = rest?[member] {
      rest![member] = left > 1 ? left - 1 : nil
      if rest!.isEmpty { rest = nil }
    }
  }

  /// Whether one of those whom `matching` names has something below. Complexity: O(members that
  /// have).
  func hasOwner(where matching: (PublicID) -> Bool) -> Bool {
    owned > 0 && matching(owner) || rest?.keys.contains(where: matching) ?? false
  }
}

/// An entry, but for its path, which is that of its place.
struct EntryRecord: Sendable {
  let id: EntryID
  var version: Version
  var size: UInt64
  var modified: FileTime
  var claimed: UInt64
  let owner: PublicID
  var place: UInt32
  /// The next later claim of the same place.
  var nextClaim = noRecord
  /// Entries of the same owner, in no order.
  var nextOwned = noRecord
  var previousOwned = noRecord
  /// Where what only few entries have is.
  var extra: UInt32
  var mode: UInt16
  var kind: EntryKind

  var key: EntryKey { EntryKey(owner, id) }
}

/// What only few entries have.
enum EntryExtra: Sendable {
  /// Where a symlink points.
  case target([UInt8])
  /// The first version of a file that has only grown since.
  case beginning(Version)
}

/// What a member has.
struct OwnedEntries: Sendable {
  var first = noRecord
  var count = 0
  /// Bytes of their paths, and of those above them that nobody had before.
  var pathBytes = 0
}
