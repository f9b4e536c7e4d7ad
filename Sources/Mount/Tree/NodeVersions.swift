import Protocol
import System

extension Node {
  /// Makes `entry` the version of an own file that is announced now. `stat`: of the file a moment ago, when
  /// `writesBefore` changes had been made. Programs may be writing on: then the version ends where the last
  /// change that is complete ended. Returns: what `stat` says from now on.
  func noteVersion(_ entry: inout Entry, _ stat: Stat, writesBefore: UInt64) -> Attributes {
    var now = Attributes(stat)
    let before = own!.isAnnounced ? self.entry : nil
    if own!.history.isChanging || own!.writes != writesBefore {
      now.size = attributes.size
      now.blocks = max(now.blocks, (now.size + 511) / 512)
      entry.size = now.size
      // How the file is left is noted behind the last change.
    } else {
      if let record = own!.record, own!.history.isSettled, own!.operations == 0,
        record != FileRecord(stat)
      {
        own!.history.loseTrack(before)
      }
      own!.record = FileRecord(stat)
    }
    entry.beginning = own!.history.announce(entry.version, size: entry.size, before: before)
    own!.announcedWrites = own!.writes
    return now
  }
}
