import Glibc
import Logging
import Protocol
package import System

extension Volume {
  /// Shares again what lies in the own folder. Before the mount; blocks on the disk. Nothing that
  /// lies there keeps the start from happening. Throws: where the index cannot be written.
  package func shareOwnFolder() throws(SystemError) {
    recoverStaged()
    looks.withLock { $0.add(folder: Node.rootNumber) }
    while let work = looks.withLock({ $0.next(now: MonotonicClock.now) }) { perform(work) }
    do throws(SystemError) { try index.beginWriting() } catch {
      log.warning("the index is not kept, so others fetch again after the next start: \(error)")
    }
    group.drain()
  }

  /// Places what was complete when the last process ended.
  private func recoverStaged() {
    let recovery: StagedRecovery
    do throws(SystemError) {
      recovery = try folder.recoverStaged { [group] path, attempt in
        ConflictName(of: path, isFolder: false, member: group.deviceName, attempt).path
      }
    } catch {
      return log.error("what was being copied in cannot be looked at: \(error)")
    }
    for path in recovery.conflicts {
      log.warning(
        "a file that was being copied in found its path taken: kept under a conflict name",
        metadata: ["path": "\(shown(path))"])
    }
    for aside in recovery.asides { noteAside(aside) }
    if recovery.isDamaged {
      log.warning(
        "what was being copied in is noted in a file that cannot be read: all of it is kept",
        metadata: ["file": "\(folder.stagedTargets.path).damaged-*"])
    }
    if let fault = recovery.fault {
      log.warning("what is copied in cannot be noted, so nothing can be shared for now: \(fault)")
    }
  }

  /// How long the end waits for work on a disk that does not answer.
  private static let lastWork: Duration = .seconds(5)

  /// Ends what runs, after the mount has ended.
  package func stop() {
    stopWatching()
    notifier.stop()
    tails.stop()
    closeCauses.stop()
    uploads.pool.stop(within: Self.lastWork)
    pool.stop(within: Self.lastWork)
    diskCache?.stop()
    index.writeSettled()
  }
}
