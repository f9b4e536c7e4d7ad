package import Core
package import Protocol
import System

/// What the mount knows of one path, for `fsharectl why`.
package struct PathDiagnostics: Sendable {
  /// What is known of an own entry.
  package struct Own: Sendable {
    package let id: EntryID
    package let isStaged: Bool
    package let isAnnounced: Bool
    package let isDirty: Bool
    /// Whether the group is not told of it, by the owner's patterns.
    package let isIgnored: Bool
    package internal(set) var handles = 0
    package internal(set) var writers = 0
    /// Bytes per second that it is uploaded with; nil where it was not lately.
    package internal(set) var uploadRate: Double?
  }

  package let kind: EntryKind
  /// nil for a directory that only holds something.
  package let owner: PublicID?
  package let entry: Entry?
  /// Bytes of the content as it is now.
  package let size: UInt64
  /// Whether it is paused by its path.
  package let isPaused: Bool
  package internal(set) var own: Own?
  /// Of others' directory, whether nobody but them may put something into it.
  package let isClosed: Bool
  /// Of an own directory, some of the others that have something in it.
  package let others: [PublicID]
  /// For others' files.
  package internal(set) var fetching: FetchFigures?
  package internal(set) var isBudgetFull = false
  package internal(set) var isLinkReady = false
  /// Whether it is one's own and not shared (`Volume.notShared`).
  package internal(set) var isOccupied = false
}

/// How much of one's own is not shared.
package struct UnsharedFigures: Sendable {
  /// Names of the own folder that are there and not shared.
  package let occupied: Int
  /// Files that were copied in and could not be moved into place.
  package let setAside: Int
}

extension Volume {
  /// How much of one's own is not shared, for status. Any thread.
  package var unsharedFigures: UnsharedFigures {
    UnsharedFigures(
      occupied: namespace.read { $0.occupiedCount }, setAside: files.setAside)
  }

  /// What lies in the own folder at a path and is not shared, or at the nearest directory above it,
  /// and why. Any thread.
  package func notShared(at path: SharePath) -> (path: SharePath, reason: OccupiedReason)? {
    namespace.read { $0.occupied(at: path) }.map { ($0.path, $0.1.reason) }
  }

  /// What of the owner's patterns says that something is not shared; nil where it is, or was before
  /// there was such a pattern. Any thread.
  package func ignored(at path: SharePath) -> IgnoreRules.Match? {
    let isDirectory = namespace.read { tree -> Bool? in
      guard let node = tree.node(at: path), node.own?.sharing == .ignored else { return nil }
      return node.kind == .directory
    }
    return isDirectory.flatMap { files.ignoring.match(path, isDirectory: $0) }
  }

  /// A file that belongs at a path and could not be moved there, and where it lies. Any thread.
  package func setAside(at path: SharePath) -> (file: AsideFile, lies: String)? {
    files.aside(at: path).map { ($0, folder.path(of: $0)) }
  }

  /// What is known of a path; nil where nothing shows there.
  package func facts(of path: SharePath) -> PathDiagnostics? {
    let pauses = reading.pausedPaths
    let found = namespace.read { tree -> (PathDiagnostics, InodeNumber)? in
      guard let node = tree.node(at: path) else { return nil }
      // A directory in which one's own only lies is its owner's.
      let owner = node.own?.impliedMode == nil ? nil : node.others.first
      let own =
        owner != nil
        ? nil
        : node.own.map {
          PathDiagnostics.Own(
            id: $0.id, isStaged: $0.staged != nil, isAnnounced: $0.isAnnounced, isDirty: $0.isDirty,
            isIgnored: $0.sharing == .ignored)
        }
      var facts = PathDiagnostics(
        kind: node.kind, owner: owner?.owner ?? node.owner, entry: owner?.entry ?? node.entry,
        size: node.attributes.size, isPaused: own == nil && pauses.covers(path), own: own,
        isClosed: node.kind == .directory && node.standing == .closed,
        others: own != nil && node.kind == .directory
          ? node.otherOwners(limit: OwnFiles.namedOwners) : [])
      facts.isOccupied = node.occupied != nil
      return (facts, node.number)
    }
    guard let found else { return nil }
    let number = found.1
    var facts = found.0
    let now = MonotonicClock.now
    if facts.own != nil {
      addHandles(to: &facts, number)
      addUploads(to: &facts, now)
    } else if let entry = facts.entry, let owner = facts.owner, facts.kind == .file {
      let content = Content(
        owner: owner, entry: entry.id, version: entry.version, size: entry.size)
      (facts.fetching, facts.isBudgetFull, facts.isLinkReady) = reading.state(of: content, now: now)
    }
    return facts
  }

  private func addHandles(to facts: inout PathDiagnostics, _ number: InodeNumber) {
    let opened = files.handles.own(number)
    facts.own!.handles = opened.count
    facts.own!.writers = opened.count(where: \.isWritable)
  }

  private func addUploads(to facts: inout PathDiagnostics, _ now: Instant) {
    guard let entry = facts.entry else { return }
    let file = EntryKey(files.ownID, entry.id)
    facts.own!.uploadRate = serving.rate(of: VersionKey(file, entry.version), now: now)
  }
}
