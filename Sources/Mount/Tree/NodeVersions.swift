import Protocol

extension Node {
  /// Makes `entry` the version of an own file that is announced now, and takes the attributes that were seen when
  /// `writesBefore` changes had been made. Programs may be writing on: then the version ends where the file ended
  /// before the changes that are being made. Tree lock held.
  func noteVersion(_ entry: inout Entry, _ seen: Look, writesBefore: UInt64) {
    let before = own!.isAnnounced ? self.entry : nil
    take(seen)
    if own!.history.isChanging {
      // How the file is left is noted behind the last change.
      entry.size = min(attributes.size, own!.history.restingSize)
    } else if own!.writes != writesBefore {
      entry.size = attributes.size
    } else {
      let record = FileRecord(seen.stat)
      if let known = own!.record, own!.history.isSettled, own!.operations == 0, known != record {
        own!.history.loseTrack(before)
      }
      own!.record = record
    }
    entry.beginning = own!.history.announce(entry.version, size: entry.size, before: before)
    own!.announcedWrites = own!.writes
  }
}
