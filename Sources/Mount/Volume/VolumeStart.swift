import Glibc
import Logging
import Protocol
package import System

extension Volume {
  /// Shares again what lies in the own folder. Before the mount; blocks on the disk.
  /// Throws: where the folder cannot be read.
  package func shareOwnFolder() throws(SystemError) {
    let conflicts = try folder.recoverStaged { [group] path, attempt in
      Self.conflictPath(path, member: group.deviceName, attempt: attempt)
    }
    for path in conflicts {
      log.warning(
        "a file that was being copied in found its path taken: kept under a conflict name",
        metadata: ["path": "\(shown(path))"])
    }
    looks.withLock { $0.add(folder: Node.rootNumber) }
    while let work = looks.withLock({ $0.next(now: MonotonicClock.now) }) { perform(work) }
    do throws(SystemError) { try index.beginWriting() } catch {
      log.warning("the index is not kept, so others fetch again after the next start: \(error)")
    }
    group.drain()
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
