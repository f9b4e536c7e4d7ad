import Core
import Protocol

/// How a master comes back from its disk: as it was, with its end lost, without a journal, or as of
/// yesterday.
extension World {
  /// A new master from what is left on its disk.
  func restoreMaster(_ host: MasterHost) {
    statistics.masterRestarts += 1
    let kind = random.below(100)
    if kind < 12, !isSettling {
      note("the journal is lost")
      host.master = newMaster(host, epoch: random.next() | 1, isRebuilt: true)
      begin(host)
    } else if kind < 24, !isSettling, !host.journal.isEmpty {
      let lost = 1 + random.below(min(host.journal.count, 6))
      note("the journal lost its last \(lost) records")
      host.journal.removeLast(lost)
      host.master = revived(host)
      host.master.beginEpoch(random.next() | 1)
      begin(host)
    } else if kind < 40, !isSettling, let backup = host.backup {
      goBack(host, to: backup)
    } else if host.isUnsettled {
      host.master = revived(host)
      host.master.beginEpoch(random.next() | 1)
      begin(host)
    } else {
      host.master = revived(host)
      if kind < 60 {
        note("the journal is compacted")
        compact(host)
        host.master = revived(host)
      }
    }
    let replica = host.master.replica
    let digest = Oracle.digest(of: replica.list.unordered, replica.members.values)
    if replica.order != oracle.order || digest != oracle.digest(at: oracle.order, replica.history) {
      fail("the master does not come back as its journal says")
    }
  }

  /// Keeps a copy of the master's state folder.
  func backUp(_ host: MasterHost) {
    note("the master is backed up")
    host.backup = MasterHost.Backup(
      journal: host.journal, snapshot: host.snapshot, vault: host.vault,
      restoration: host.restoration, hub: hub)
  }

  /// The state folder is as it was when it was backed up, and what came since is known to others
  /// only.
  private func goBack(_ host: MasterHost, to backup: MasterHost.Backup) {
    note("the master's state is yesterday's")
    statistics.setBacks += 1
    masterWasSetBack = true
    toldVerdicts.subtract(overruled)
    host.journal = backup.journal
    host.snapshot = backup.snapshot
    host.vault = backup.vault
    host.restoration = backup.restoration
    host.isUnsettled = false
    host.master = revived(host)
    oracle.goBack(to: host.master.replica)
    guard random.chance(300) else { return }
    // Hub and master in one state folder.
    note("so is the hub's")
    hubForgot = true
    stopHub()
    hub.goBack(to: backup.hub)
    events.put(.hubStarts, at: now + random.span(100...2_000))
  }

  private func newMaster(_ host: MasterHost, epoch: UInt64, isRebuilt: Bool = false) -> Master {
    Master(
      epoch: epoch, spareEpoch: random.next() | 1, vault: host.vault,
      restoration: host.restoration, settings: masterSettings, isRebuilt: isRebuilt,
      hash: SimulatedHash.hash, signer: SimulatedSignature.signer)
  }

  /// What the journal and its snapshot make, as `MasterJournal` reads them.
  private func revived(_ host: MasterHost) -> Master {
    var master = newMaster(host, epoch: host.snapshot?.order.epoch ?? host.firstEpoch)
    if let snapshot = host.snapshot, let history = snapshot.histories.last {
      if snapshot.items.isEmpty { master.restoreEmpty(order: snapshot.order, history: history) }
      for item in snapshot.items {
        master.restore(item, order: snapshot.order, history: history)
      }
      master.restore(earlier: Array(snapshot.histories.dropLast()))
      for answer in snapshot.answers { master.restore(answer: answer) }
    }
    // The snapshot may have been ahead of what was written behind it.
    for ordered in host.journal where ordered.order.seq > master.replica.order.seq {
      guard master.isContinued(by: ordered) else {
        fail("the journal's record \(ordered.order) does not follow")
        break
      }
      master.restore(ordered)
    }
    return master
  }

  private func begin(_ host: MasterHost) {
    host.isUnsettled = true
    compact(host)
    oracle.goBack(to: host.master.replica)
  }

  func compact(_ host: MasterHost) {
    let replica = host.master.replica
    host.journal = []
    host.snapshot = MasterHost.Snapshot(
      order: replica.order, histories: replica.histories.all,
      items: replica.members.values.sorted { $0.publicID < $1.publicID }.map { .member($0) }
        + replica.list.sorted.map { .entry($0) },
      answers: host.master.answers)
  }
}
