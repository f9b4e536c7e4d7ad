import Glibc
import Logging
import Protocol
import System

extension FolderSync {
  /// How long the mount waits for the own folder. One that takes longer goes on behind it: what is
  /// asked for is then looked at at once (`scanFirst`).
  private static let startPatience: Duration = .seconds(1)

  /// Shares again what lies in the own folder. Before the mount; blocks on the disk, but for what
  /// takes long. Nothing that lies there keeps the start from happening.
  func start() {
    recoverStaged()
    rescans.add(folder: Node.rootNumber)
    let end = MonotonicClock.now + Self.startPatience
    repeat {
      guard let work = rescans.next() else {
        return endStart()
      }
      perform(work)
    } while MonotonicClock.now < end
  }

  /// All of the own folder was looked at: what else the list has of this member is no longer there.
  func endStart() {
    guard rescans.endStart() else { return }
    do throws(SystemError) { try index.beginWriting() } catch {
      log.warning("the index is not kept, so others fetch again after the next start: \(error)")
    }
    group.drain()
    group.sharedAll()
    disk.giveBackMemory()
  }

  /// Looks into a directory of which somebody asks what is in it, where the scan at the start has
  /// not come there yet, and does `then`. FUSE threads only. Returns: false where it has.
  func scanFirst(_ number: InodeNumber, _ request: Request, then: @escaping @Sendable () -> Void)
    -> Bool
  {
    guard rescans.isUnscanned(number) else { return false }
    disk.answer(request) { [self] () throws(SystemError) in
      perform(.folder(number))
      then()
    }
    return true
  }

  /// How many own directories the scan at the start has still to look into, for status; nil where
  /// it has ended. There may be more in them.
  package var foldersToScan: Int? { rescans.unscanned }

  /// Places what was complete when the last process ended.
  private func recoverStaged() {
    let recovery: StagedRecovery
    do throws(SystemError) {
      recovery = try nameLock.withLock { held throws(SystemError) in
        try folder.recoverStaged(held) { [group] path, attempt in
          ConflictName(of: path, isFolder: false, member: group.deviceName, attempt).path
        }
      }
    } catch {
      return log.error("what was being copied in cannot be looked at: \(error)")
    }
    for path in recovery.conflicts {
      log.warning(
        "a file that was being copied in found its path taken: kept under a conflict name",
        metadata: ["path": "\(path.shown)"])
    }
    for aside in recovery.asides { files.noteAside(aside) }
    if recovery.isDamaged {
      log.warning(
        "what was being copied in is noted in a file that cannot be read: all of it is kept",
        metadata: ["file": "\(folder.stagedTargets.path).damaged-*"])
    }
    if let fault = recovery.fault {
      log.warning("what is copied in cannot be noted, so nothing can be shared for now: \(fault)")
    }
  }
}
