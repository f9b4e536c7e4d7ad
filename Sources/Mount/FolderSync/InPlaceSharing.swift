import Core
import Glibc
import Logging
package import Protocol
package import System

/// What became of the wish to share something in place.
package enum SharingOutcome: Sendable {
  case shared
  /// The group has not answered yet; it is shared as soon as the group hears of it.
  case unanswered
  /// Something is at that path of the share already; by nil: one's own.
  case taken(by: PublicID?)
  /// A file stands where a directory of the path should be.
  case notADirectory(SharePath)
  /// The path of the share is one that is never shared.
  case reserved
  /// It is, contains or lies in a folder that may not be shared.
  case overlaps(String)
  /// It is, contains or lies in something that is shared in place already.
  case overlapsShared(InPlaceShareFacts)
  case failed(SystemError)
}

/// Something that is shared in place.
package struct InPlaceShareFacts: Sendable {
  /// Where it is listed.
  package let name: SharePath
  /// Where it lies.
  package let path: [UInt8]
  /// nil while it is not there.
  package let kind: EntryKind?

  init(_ place: InPlaceShare) {
    name = place.name
    path = place.path
    kind = place.root.map { $0.file == nil ? .directory : .file }
  }
}

/// Sharing files and folders where they lie. Nothing of them is copied, moved or changed.
extension FolderSync {
  /// What is shared in place, in the order in which it was. Any thread.
  package var sharedInPlace: [InPlaceShareFacts] { folder.sharedPlaces.map(InPlaceShareFacts.init) }

  /// Shares what lies at an absolute path without symlinks. `folders`: what it must be apart from.
  /// `waits`: whether the group can answer now. Calls `done` once, on any thread.
  package func shareInPlace(
    _ path: [UInt8], as name: SharePath, apartFrom folders: [String], waits: Bool,
    _ done: @escaping @Sendable (SharingOutcome) -> Void
  ) {
    disk.run { [self] in
      // Where it does not answer nobody else waits for that.
      _ = try? InPlaceShare.open(path)
      var refusal: SharingOutcome?
      var added: (id: InPlaceShareID, entry: Entry?)?
      nameLock.withLock { held in
        do throws(SystemError) {
          refusal = reasonNotToShare(held, path, as: name, apartFrom: folders)
          if refusal == nil { added = try addPlace(held, path, as: name) }
        } catch {
          refusal = .failed(error)
        }
      }
      if let entry = added?.entry, waits, let id = added?.id {
        files.tellGroup(entry) { [self] outcome in answered(outcome, id, done) }
      } else {
        done(refusal ?? .unanswered)
      }
      group.drain()
      rescans.wake()
    }
  }

  /// Takes back what is shared in place: listed at `name`, or lying at one of `paths`. Calls `done`
  /// once, on any thread, with what it was; nil where there is no such thing.
  package func unshareInPlace(
    _ name: SharePath?, paths: [[UInt8]],
    _ done: @escaping @Sendable (Result<InPlaceShareFacts?, SystemError>) -> Void
  ) {
    disk.run { [self] in
      let all = folder.sharedPlaces
      let found = all.first { $0.name == name } ?? all.first { paths.contains($0.path) }
      var result = Result<InPlaceShareFacts?, SystemError>.success(
        found.map(InPlaceShareFacts.init))
      if let found {
        nameLock.withLock { held in
          do throws(SystemError) { try removePlace(held, found.id) } catch {
            result = .failure(error)
          }
        }
        group.drain()
      }
      done(result)
    }
  }

  private func reasonNotToShare(
    _ held: borrowing NamesHeld,
    _ path: [UInt8], as name: SharePath, apartFrom folders: [String]
  ) -> SharingOutcome? {
    if let folder = folders.first(where: { Self.overlap(path, $0.pathBytes) }) {
      return .overlaps(folder)
    }
    // Through a symlink it is the same folder. The mountpoint has none in it; it is not asked,
    // being ours to answer.
    for folder in [folder.path, File.folder(of: folder.placesFile)] {
      if let real = File.resolved(folder), Self.overlap(path, real.pathBytes) {
        return .overlaps(folder)
      }
    }
    if let other = folder.sharedPlaces.first(where: { Self.overlap(path, $0.path) }) {
      return .overlapsShared(InPlaceShareFacts(other))
    }
    if name.names[0].bytes == OwnFolder.stagingName { return .reserved }
    let inTheWay = namespace.read { tree -> SharingOutcome? in
      if let node = tree.node(at: name) { return .taken(by: node.own == nil ? node.owner : nil) }
      var above = name.parent
      while let path = above {
        if let node = tree.node(at: path), node.kind != .directory || node.occupied != nil {
          return .notADirectory(path)
        }
        above = path.parent
      }
      return nil
    }
    if let inTheWay { return inTheWay }
    // What is not there now is listed all the same.
    if folder.inPlaceShare(holding: name) != nil || (try? folder.stat(name)) != nil {
      return .taken(by: nil)
    }
    return nil
  }

  private func addPlace(
    _ held: borrowing NamesHeld,
    _ path: [UInt8], as name: SharePath
  ) throws(SystemError) -> (id: InPlaceShareID, entry: Entry?) {
    let (root, _) = try InPlaceShare.open(path)
    try files.claim(held, namespace.read { unclaimed(above: name, $0) })
    let id = try folder.changePlaces(held) { $0.add(path, as: name, root: root) }
    if let below = reconcile(held, id, isFinished: true) {
      rescans.add(folder: below.number)
    }
    return (id, namespace.read { $0.node(at: name)?.entry })
  }

  /// Directories above a path that this member has not claimed, outermost first.
  private func unclaimed(above name: SharePath, _ tree: Tree) -> [SharePath] {
    var found: [SharePath] = []
    var above = name.parent
    while let path = above {
      if tree.node(at: path)?.own == nil { found.append(path) }
      above = path.parent
    }
    return found.reversed()
  }

  private func answered(
    _ outcome: ChangeOutcome, _ id: InPlaceShareID,
    _ done: @escaping @Sendable (SharingOutcome) -> Void
  ) {
    guard case .rejected = outcome else {
      return done(outcome == .acked ? .shared : .unanswered)
    }
    disk.run { [self] in
      nameLock.withLock { held in
        do throws(SystemError) { try removePlace(held, id) } catch {
          log.error("cannot forget what is shared in place: \(error)")
        }
      }
      group.drain()
      done(.taken(by: nil))
    }
  }

  /// Takes a place off the table, and its entries out of the list.
  private func removePlace(_ held: borrowing NamesHeld, _ id: InPlaceShareID) throws(SystemError) {
    guard let place = folder.inPlaceShare(id) else { return }
    try folder.changePlaces(held) { $0.remove(id) }
    watch.forget(place: id)
    let known = namespace.read { tree in tree.node(at: place.name).flatMap { KnownState($0) } }
    if let known { files.forgetOwn(held, known.number) }
  }

  private static func overlap(_ one: [UInt8], _ other: [UInt8]) -> Bool {
    File.isSameOrBelow(one, other) || File.isSameOrBelow(other, one)
  }
}
