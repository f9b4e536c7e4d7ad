import CLinux
import Glibc
import Protocol
import State
import System

/// The table of what is shared in place, and the file that keeps it.
extension OwnFolder {
  static func loadPlaces(_ file: String) throws(StateFault) -> InPlaceShares {
    guard let content = try SharesFile.read(file) else { return InPlaceShares() }
    return InPlaceShares(content)
  }

  /// What is shared in place. Any thread.
  var sharedPlaces: [InPlaceShare] { places.withLock { $0.all } }

  /// What is shared in place and listed at just this path. Any thread.
  func inPlaceShare(_ id: InPlaceShareID) -> InPlaceShare? { places.withLock { $0[id] } }

  func inPlaceShare(at path: SharePath) -> InPlaceShare? {
    places.withLock { $0.inPlaceShare(at: path) }
  }

  /// What is shared in place and listed at this path or above it. Any thread.
  func inPlaceShare(holding path: SharePath) -> InPlaceShare? {
    places.withLock { $0.inPlaceShare(holding: path) }
  }

  /// Changes the table, and the file with it; where that cannot be written nothing is changed.
  func changePlaces<Result>(_ held: borrowing NamesHeld, _ body: (inout InPlaceShares) -> Result)
    throws(SystemError) -> Result
  {
    var changed = places.withLock { $0 }
    let result = body(&changed)
    try changed.file.write(placesFile)
    places.withLock { $0 = changed }
    return result
  }

  /// Lists what is shared in place at `old` at another path. Throws: EEXIST where something lies
  /// there that does not give way, EPERM in another place.
  func relist(_ held: borrowing NamesHeld, _ old: SharePath, to new: SharePath, replacing: Bool)
    throws(SystemError)
  {
    try checkMayChange(new)
    do throws(SystemError) {
      let there = try stat(new)
      if !replacing { throw SystemError(code: EEXIST, call: "rename") }
      if there.isDirectory { try removeDirectory(held, new) } else { try unlink(held, new) }
    } catch  where error.code == ENOENT {}
    _ = try changePlaces(held) { $0.move(from: old, to: new) }
  }

  /// A directory of the own folder was renamed: what is listed below it has moved along.
  func movedPlaces(_ held: borrowing NamesHeld, below old: SharePath, to new: SharePath)
    throws(SystemError)
  {
    if places.withLock({ $0.all.contains { $0.name.isBelow(old) } }) {
      _ = try changePlaces(held) { $0.move(from: old, to: new) }
    }
  }

  /// What became of a place since it was looked at last.
  enum InPlaceShareChange: Equatable {
    case same
    /// There is something now where nothing was, or something else.
    case came
    case gone
    case nothingThere
  }

  /// Looks whether a place is there, and notes it in the table. Blocks on the disk.
  /// Throws: what keeps from knowing for now, EMFILE or EIO.
  func refresh(_ held: borrowing NamesHeld, _ place: InPlaceShare) throws(SystemError)
    -> InPlaceShareChange
  {
    let root: InPlaceShare.Root
    do throws(SystemError) { root = try InPlaceShare.open(place.path).root } catch {
      if [EMFILE, ENFILE, ENOMEM, EIO].contains(error.code) { throw error }
      if place.root == nil { return .nothingThere }
      places.withLock { $0.setRoot(place.id, nil) }
      return .gone
    }
    if let old = place.root, old.file == root.file, Self.isSame(old.directory, root.directory) {
      return .same
    }
    places.withLock { $0.setRoot(place.id, root) }
    return .came
  }

  private static func isSame(_ one: OwnedDescriptor, _ other: OwnedDescriptor) -> Bool {
    guard let one = try? Stat(descriptor: one.raw), let other = try? Stat(descriptor: other.raw)
    else { return false }
    return one.dev == other.dev && one.ino == other.ino
  }
}
