import Core
import Protocol
import System

/// One file, directory or symlink as the kernel sees it. Touched only in the closures of
/// `Namespace`.
///
/// A new version of somebody's file is a new node: what the kernel has cached of the old one stays
/// true.
// SAFETY: every access happens inside a closure of the one `Namespace` of a mount.
final class Node: @unchecked Sendable {
  /// The number of the root (FUSE_ROOT_ID).
  static let rootNumber: InodeNumber = 1

  let number: InodeNumber
  let kind: EntryKind
  /// What programs know it by (`st_ino`). Made when the first of them asks, by when all that
  /// arrived in one step with it is there; then it stays while the node lives.
  var fileNumber: UInt64 {
    if toldNumber == 0 { toldNumber = table.fileNumber(of: self) }
    return toldNumber
  }
  unowned let table: NodeTable
  /// 0: nobody was told.
  private var toldNumber: UInt64 = 0
  /// The directory that holds it; nil for the root, and once it is no longer in the tree (which
  /// also ends the cycle of references).
  var parent: Node? {
    didSet {
      guard kind == .directory else { return }
      oldValue?.subdirectories -= 1
      parent?.subdirectories += 1
    }
  }
  var name: Name?
  /// Its place in the listing of its directory: whatever shows at one name later has the same.
  var order: UInt64 = 0
  /// How many of `slots` are directories.
  private(set) var subdirectories = 0
  var attributes: Attributes
  /// What is in it by name, as far as nodes are there: some of what only the list has is not, nor
  /// what rests.
  var slots: [Name: Slot] = [:]
  /// Whether nothing in it is only in the list.
  var isExpanded = false
  /// How many directories in it are only in the list, where that was counted and stayed so.
  var listedDirectories: Int?
  /// Of the own files in it that rest.
  var firstResting = noRecord
  /// How often the kernel was told of it, less what it forgot.
  var lookups: UInt64 = 0
  /// Which of all such times was the last.
  var lastLookup: UInt64 = 0
  /// Whether the kernel may remember that some name is not in this directory.
  var gaveNegatives = false
  /// What is needed beyond the attributes for an own file; nil for others' entries.
  var own: OwnState? {
    get { ownBox?.value }
    set { Box.put(newValue, into: &ownBox) }
  }
  private var ownBox: Box<OwnState>?
  /// What is needed for what lies in the own folder and is not shared; nil for all else. Such a
  /// node has neither `own` nor `entry` nor children.
  var occupied: Occupied? {
    get { occupiedBox?.value }
    set { Box.put(newValue, into: &occupiedBox) }
  }
  private var occupiedBox: Box<Occupied>?
  /// The entry that it shows; nil for the root and for directories that only hold something.
  var entry: Entry?
  var owner: PublicID?
  /// The claim that it shows.
  var claim: ClaimKey? {
    guard let entry else { return nil }
    if own != nil { return .own(entry.id) }
    return owner.map { .other(EntryKey($0, entry.id)) }
  }
  /// Whether it is still in the tree.
  var isLinked = false
  /// As of `st_nlink`: names of a file; of a directory also its own `.` and the `..` of those in
  /// it.
  var links: Int {
    !isLinked ? 0 : kind == .directory ? 2 + subdirectories + children.onlyListedDirectories : 1
  }

  init(number: InodeNumber, kind: EntryKind, attributes: Attributes, table: NodeTable) {
    self.number = number
    self.kind = kind
    self.attributes = attributes
    self.table = table
  }

  /// Its path, while it is linked; nil for the root.
  var path: SharePath? {
    guard let name, let parent else { return nil }
    return try? SharePath(parent: parent.path, name: name)
  }

  /// Puts it at a name. `order`: its place in listings.
  func attach(to directory: Node, _ name: Name, order: UInt64) {
    self.order = order
    parent = directory
    self.name = name
    isLinked = true
  }

  /// Gives it what a claim says of it.
  func show(_ claim: Claim) {
    guard kind == claim.entry.kind else { return }
    entry = claim.entry
    owner = claim.owner
    if claim.isOwn {
      if own?.id != claim.entry.id { own = OwnState(id: claim.entry.id) }
    } else {
      own = nil
      attributes = Attributes(foreign: claim.entry)
    }
  }
}

/// Everything that is at one name of one directory: the claims, and the node that shows.
struct Slot {
  init(claims: [Claim], node: Node, occupied: Occupied? = nil) {
    self.claims = claims
    self.node = node
    self.occupied = occupied
  }

  /// Own claim first, then in the order of claims. Empty for a directory that only holds something.
  var claims: [Claim]
  var node: Node
  /// Others' directory with what is in it, where an own file shows: until that is kept aside, since
  /// the list has the directory.
  var beneath: Node?
  /// What of the own folder lies there and is not shared. It shows where nothing else does. Never
  /// beside an own claim.
  var occupied: Occupied? {
    get { occupiedBox?.value }
    set {
      // Another copy of the slot may have the box of before.
      occupiedBox = nil
      Box.put(newValue, into: &occupiedBox)
    }
  }
  private var occupiedBox: Box<Occupied>?

  /// Whether there is a directory that is there because of what others have in it.
  var holdsOthers: Bool {
    beneath != nil || (claims.isEmpty && node.kind == .directory && node.occupied == nil)
  }
}

/// What only some of very many have, beside them: it takes no room where it is not.
private final class Box<Value> {
  var value: Value

  private init(_ value: Value) { self.value = value }

  static func put(_ value: Value?, into box: inout Box?) {
    guard let value else {
      box = nil
      return
    }
    if let box { box.value = value } else { box = Box(value) }
  }
}

/// Whose claim, and which: no id of somebody else's reaches an own entry, nor one of a third.
enum ClaimKey: Hashable {
  case own(EntryID)
  case other(EntryKey)
}

/// One member's entry at a path.
struct Claim: Equatable {
  var entry: Entry
  let owner: PublicID
  /// Place in the list's order of claims.
  var claimed: UInt64
  let isOwn: Bool

  init(entry: Entry, owner: PublicID, claimed: UInt64, isOwn: Bool) {
    self.entry = entry
    self.owner = owner
    self.claimed = claimed
    self.isOwn = isOwn
  }

  /// Somebody else's.
  init(_ listed: ListedEntry) {
    self.init(
      entry: listed.entry, owner: listed.owner, claimed: listed.claimed, isOwn: false)
  }

  var key: ClaimKey { isOwn ? .own(entry.id) : .other(file) }
  private var file: EntryKey { EntryKey(owner, entry.id) }

  /// Whether it shows rather than `other`.
  func precedes(_ other: Claim) -> Bool {
    if isOwn != other.isOwn { return isOwn }
    return (claimed, file) < (other.claimed, other.file)
  }
}

/// What the mount knows of one of its own files.
struct OwnState {
  let id: EntryID
  /// The name in the staging folder; nil once it lies in the own folder.
  var staged: [UInt8]?
  /// Counts writes, and how many of them the last announcement covers.
  var writes: UInt64 = 0
  var announcedWrites: UInt64 = 0
  /// Written since it was last announced.
  var isDirty: Bool { writes != announcedWrites }
  /// What `writes` was when a program was killed that wrote it.
  var abandonedWrites: UInt64?
  /// Incomplete, with nobody at work on it since.
  var isAbandoned: Bool { abandonedWrites == writes }
  /// Whether the group was told of it, or would have been but for the owner's patterns.
  var isAnnounced = false
  /// Whether the group is told of it.
  enum Sharing: UInt8 {
    /// That is decided when it would be.
    case undecided
    case told
    /// The owner's patterns say that it is not.
    case ignored
  }
  var sharing = Sharing.undecided
  /// As it was when its version was announced, or behind the latest change of ours since: another
  /// `stat` means that somebody else has changed it.
  var record: FileRecord?
  /// How often it went on as the version that it was though its time of change was another
  /// (`FolderSync/Touched`): what was read of it before is not known to be what is there.
  var touches: UInt64 = 0
  /// Whether there is no more to it than what it was announced as, and nothing under way.
  var isResting: Bool {
    isAnnounced && staged == nil && !isDirty && abandonedWrites == nil && touches == 0
      && history.isEmpty && impliedMode == nil && operations == 0 && snapshots == shownSnapshot
      && !isCompared && failure == nil && remains == nil
  }
  /// Whether its version was announced before: by another process, or of a file that was gone for a
  /// while. What was sent of it then is not known.
  var isLineOlder = false
  /// What of its announced versions is still in it.
  var history = ContentHistory()
  /// Of a directory that this member has only because something of his lies in it: the permission
  /// bits that showed before. Without them the directory is his own.
  var impliedMode: UInt32?
  /// Changes of ours under way that alter its ctime.
  var operations = 0
  /// Looks at its file that were begun, and the one that its attributes are from.
  var snapshots: UInt64 = 0
  var shownSnapshot: UInt64 = 0
  /// Whether what was sent of it is being compared with what is in it.
  var isCompared = false
  /// Why it was withdrawn, for programs that still have it open.
  var failure: Int32?
  /// Its file, once it has no name any more: whoever found it before goes on with it.
  var remains: OwnedDescriptor?
}
