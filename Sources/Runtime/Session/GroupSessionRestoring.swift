import Core
import Logging
import Mount
import Protocol
import Sealing
import System
import Transport

/// A master that was set back to an earlier state: what is done, and what a person is told of it.
extension GroupSession {
  /// What the master wants done about it. While draining. Throws where it has to be kept first, and
  /// the disk does not take it.
  func performRestoring(_ action: MasterAction) throws(SystemError) {
    switch action {
    case .beginEpoch(let order):
      try journal!.begin(state.withLock { $0.master! })
      stepInPlace { member, _, _ in member.epochBegan(order) }
      // The hub names its clients anew, and everybody hears that the master is back, and asks.
      link?.disconnect()
    case .notice(let evidence): log.warning("\(Self.text(evidence))")
    case .keepRestoration(let restoration):
      try restorationFile?.keep(restoration)
    case .tell(let table):
      if state.withLock({ $0.isMasterRegistered }) { send(.clientTable(table)) }
    default: preconditionFailure("not about restoring")
    }
  }

  private static func text(_ evidence: Restoration.Evidence) -> String {
    let what =
      switch evidence {
      case .list(let member, let seen, let head):
        "member \(member) has seen change \(seen.seq) (history \(seen.history)), this journal ends at "
          + "change \(head.seq) (history \(head.history))"
      case .hubsKey(let theirs, let ours):
        "the hub keeps a key of generation \(theirs), this vault ends at \(ours)"
      case .membersKey(let member, let theirs, let ours):
        "member \(member) had a key of generation \(theirs), this vault ends at \(ours)"
      }
    return "this master was set back to an earlier state, by a backup or a disk that lost writes: "
      + "\(what); a new epoch and a later key begin; see who is in: fsharectl members"
  }

  /// For `status`; nil where this is no master that was set back, or nobody is in doubt any more.
  static func restorationText(_ state: State) -> String? {
    guard let restoration = state.master?.restoration, restoration.generation > 0 else {
      return nil
    }
    let doubts = restoration.doubts.count
    return "this master was set back; its keys begin anew at generation \(restoration.generation); "
      + (doubts == 0 ? "nobody is in doubt" : "in doubt: \(doubts), see fsharectl members")
  }

  /// For `members`: why somebody is not in though nobody decided so here.
  static func doubtText(_ key: DeviceKey?, _ state: State) -> String? {
    guard let key, let doubt = state.master?.restoration.doubts[key] else { return nil }
    return switch doubt {
    case .outHere: "out by this master's record, approved by the hub's: approve to let in"
    case .outByHub: "out by the hub's record: approve to let in"
    case .outByMember(let member): "out by member \(member)'s record: approve to let in"
    case .unknown: "approved by the hub's record, unknown to this master: approve to let in"
    }
  }
}
