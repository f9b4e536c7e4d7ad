import Protocol
import System

/// What an own file was like at some moment. Writers and closers look at one file at the same time:
/// what was seen earlier never replaces what was seen later, or the kernel would cut the file.
struct StatSnapshot: Sendable {
  let number: InodeNumber
  /// A snapshot with a higher number saw all that this one saw.
  let ordinal: UInt64
  let stat: Stat
}

extension Node {
  /// The attributes that were seen, unless the node's are later ones.
  func latest(_ snapshot: StatSnapshot, setsTime: Bool = false) -> Attributes {
    guard own != nil, snapshot.ordinal >= own!.shownSnapshot else { return attributes }
    own!.shownSnapshot = snapshot.ordinal
    var seen = Attributes(snapshot.stat, implied: own!.impliedMode)
    // A directory also changes when others put something into it: that is not on our disk.
    if kind == .directory, !setsTime {
      seen.modified = max(attributes.modified, seen.modified)
      seen.changed = max(attributes.changed, seen.changed)
    }
    return seen
  }
}
