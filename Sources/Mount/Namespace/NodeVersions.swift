import Protocol

extension Node {
  /// Makes `entry` the version of an own file that is announced now. `look`: at the file a moment
  /// ago, when `writesBefore` changes had been made. Programs may be writing on: then the version
  /// ends where the file ended before the changes that are being made. Returns: what its attributes
  /// are from now on.
  func noteVersion(_ entry: inout Entry, _ snapshot: StatSnapshot, writesBefore: UInt64)
    -> Attributes
  {
    var now = attributes
    let before = own!.isAnnounced ? self.entry : nil
    if own!.history.isChanging {
      // How the file is left is noted behind the last change.
      entry.size = min(now.size, own!.history.restingSize)
    } else if own!.writes != writesBefore {
      entry.size = now.size
    } else {
      let record = FileRecord(snapshot.stat)
      if let known = own!.record, own!.history.isSettled, own!.operations == 0, known != record {
        own!.history.loseTrack(before)
      }
      own!.record = record
      now = latest(snapshot)
    }
    entry.beginning = own!.history.announce(entry.version, size: entry.size, before: before)
    own!.announcedWrites = own!.writes
    return now
  }
}
