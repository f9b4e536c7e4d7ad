import Core
import Protocol
import System

/// Whether what is read of an own file is what was announced of it.
extension Serving {
  /// What can be said of bytes of an own file.
  enum Standing {
    case asAnnounced
    case failed(ChunkFailureReason)
    /// The file is not as we left it.
    case changedByOthers
    /// Nothing but its time of change is not: what that means is found out before anybody is told.
    case touched
  }

  /// Why the first `end` bytes of a source are not what was announced; nil where they are.
  func failure(of source: UploadSource, upTo end: UInt64) -> ChunkFailureReason? {
    switch standing(of: source, upTo: end) {
    case .asAnnounced: return nil
    case .failed(let reason): return reason
    case .changedByOthers:
      rescans.lookAgain(at: source.entry)
      return .changed
    case .touched:
      rescans.lookAgain(at: source.entry)
      return .busy
    }
  }

  func standing(of source: UploadSource, upTo end: UInt64) -> Standing {
    let stat = try? Stat(descriptor: source.file.raw)
    return namespace.read { tree in
      guard let node = tree.node(of: source.entry), let own = node.own, let entry = node.entry
      else {
        return .failed(.changed)
      }
      // What was taken back is nobody else's, whoever knows it from before.
      if own.sharing == .ignored { return .failed(.changed) }
      if own.operations > 0 || own.touches != source.touches { return .failed(.busy) }
      guard own.history.holds(source.version, upTo: end, entry) else { return .failed(.changed) }
      // While we write, or have just written, only we can say what has stayed.
      if !own.history.isSettled { return .asAnnounced }
      guard let stat else { return .failed(.unreadable) }
      let found = FileRecord(stat)
      if own.record == found { return .asAnnounced }
      if found.isOnlyTouched(since: own.record) { return .touched }
      return own.record == source.record ? .changedByOthers : .failed(.busy)
    }
  }
}
