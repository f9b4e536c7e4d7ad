import Core
import Glibc
import Protocol
import System

/// Which node shows at which path, for all threads: the tree, its lock, and what the kernel is told
/// of its changes.
///
/// What shows is changed in two ways only: on the kernel's behalf (`change`), which then knows, or
/// for any other reason (`changeAndTell`), which it is told of. What a room knows of its own nodes
/// beside that, and nobody is shown, it notes (`note`).
final class Namespace: Sendable {
  private let tree: Locked<Tree>
  private let invalidator = KernelNotifier()
  /// Tells of files that have grown: that may have to wait for a READ of their end.
  private let growthInvalidator = KernelNotifier()
  /// Directories that programs list.
  let listings = Locked(ListingTable(), rank: .leaf)

  /// `own`: what the own folder is like. `numbers`: what `st_ino` of others' entries is made with.
  init(own: Stat, numbers: FileNumbers) {
    tree = Locked(Tree(now: .now, own: own, numbers: numbers), rank: .namespace)
  }

  /// Looks at the tree, and at what is noted of its nodes.
  func read<Result>(_ body: (Tree) throws -> Result) rethrows -> Result {
    try tree.withLock { try body($0) }
  }

  /// Changes what is noted of nodes and shows nowhere (`OwnState`).
  func note<Result>(_ body: (Tree) throws -> Result) rethrows -> Result {
    try tree.withLock { try body($0) }
  }

  /// Changes the tree on the kernel's behalf: it knows what it asked for and is not told again.
  func change<Result>(_ body: (inout Tree) throws -> Result) rethrows -> Result {
    try tree.withLock { tree in
      defer { _ = tree.takeInvalidations() }
      return try body(&tree)
    }
  }

  /// Changes the tree because of something that the kernel did not ask for: it is told.
  func changeAndTell<Result>(_ body: (inout Tree) throws -> Result) rethrows -> Result {
    try tree.withLock { tree in
      defer { invalidator.add(tree.takeInvalidations()) }
      return try body(&tree)
    }
  }

  /// Changes the tree on the kernel's behalf. It is told all the same where `isOther` says that
  /// more has come of it than what it asked for.
  func change(_ body: (inout Tree) -> Void, tellingIf isOther: (Tree) -> Bool) {
    tree.withLock { tree in
      body(&tree)
      let invalidations = tree.takeInvalidations()
      if isOther(tree) { invalidator.add(invalidations) }
    }
  }

  /// What the kernel has forgotten, or others than it have asked for, since this was called last.
  func takeIdle() -> [InodeNumber] { tree.withLock { $0.takeIdle() } }

  /// Nodes that nobody needs any more go. `held`: nobody is in the middle of something with one.
  func quiesce(_ held: borrowing NamesHeld, _ idle: ArraySlice<InodeNumber>) {
    tree.withLock { $0.quiesce(idle) }
  }

  /// The same of own files in a directory with which nothing is under way.
  func rest(_ held: borrowing NamesHeld, in directory: InodeNumber) {
    tree.withLock { $0.rest(in: directory) }
  }

  /// Where an entry is, for the log.
  func shownPath(of key: ClaimKey) -> String { read { $0.path(of: key) }?.shown ?? "?" }

  /// Has the kernel forget names before they change, and calls `then` when it has; at once where
  /// nothing is mounted. No lock held.
  func forgetNames(_ names: [Invalidation], then body: @escaping @Sendable () -> Void) {
    invalidator.add(names, then: body)
  }

  /// The same of the ends of files that grow.
  func forgetEnds(_ ends: [Invalidation], then body: @escaping @Sendable () -> Void) {
    growthInvalidator.add(ends, then: body)
  }

  func mounted(as session: SessionReference) throws(SystemError) {
    try invalidator.start(session, name: "invalidations")
    try growthInvalidator.start(session, name: "growth")
  }

  func stop() {
    invalidator.stop()
    growthInvalidator.stop()
  }
}

/// Handles of directories that programs list.
struct ListingTable: Sendable {
  private var listings: [HandleNumber: Listing] = [:]
  private var last: HandleNumber = 0

  subscript(handle: HandleNumber) -> Listing? { listings[handle] }

  mutating func add(_ listing: Listing) -> HandleNumber {
    last += 1
    listings[last] = listing
    return last
  }

  /// Puts another state of a listing in its place, where it is still open.
  mutating func renew(_ handle: HandleNumber, _ listing: Listing) {
    if listings[handle] != nil { listings[handle] = listing }
  }

  mutating func remove(_ handle: HandleNumber) { listings[handle] = nil }
}
