import Core
import Logging
import Mount
import Protocol
import System

/// The list as an earlier process kept it.
extension GroupSession {
  /// Shows what was known of the list, and begins to keep it. Blocks on the disk. Behind
  /// `Volume.shareOwnFolder`: whatever of the list is old by now, own files show.
  func restoreList() throws(SystemError) {
    guard let keeper else { return }
    if let kept = keeper.load(master: trust.group.master) {
      volume.files.identified(kept.publicID)
      log.info("the list as it was kept: \(kept.replica.list.count) entries")
      stepMember { $0.restore(kept, now: $1, into: &$2) }
      report(.ready)
    }
    try keeper.start(
      master: { [trust] in trust.group.master },
      snapshot: { [self] in state.withLock { $0.member.snapshot } })
  }

  /// Where this is the master app: shows a list that was taken back from the members, once all had
  /// their time.
  func showWholeList() {
    step { state, _ in
      guard state.master?.isTakingBack == false, state.member.standing == .missing else { return }
      var actions: [MemberAction] = []
      state.member.listIsWhole(into: &actions)
      state.enqueue(actions)
    }
  }
}
