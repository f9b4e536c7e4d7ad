import Glibc
import Protocol
import System

/// The own folder as it is used directly, past the mount: what the kernel's watches and scans of
/// whole directories hint at is compared with the namespace, on the disk pool, by one worker at a
/// time. What equals the namespace is nothing new, so one's own changes through the mount have no
/// echo.
package final class FolderSync: OnOwnFolder, Sendable {
  let times: WatchTimes
  let parts: OwnFolderParts
  let files: OwnFiles
  let serving: Serving
  /// Paths of the own folder on which something is mounted.
  let mountPoints = Locked<Set<SharePath>>([], rank: .leaf)
  /// Places that were asked whether they answer, and have not.
  let probes = Locked<Set<InPlaceShareID>>([], rank: .leaf)

  init(_ files: OwnFiles, _ serving: Serving, _ times: WatchTimes) {
    self.times = times
    parts = files.parts
    self.files = files
    self.serving = serving
    rescans.setWorker { [weak self] in self?.work() }
  }

  /// Does what there is to do, and ends.
  private func work() {
    while let work = rescans.nextForWorker() { perform(work) }
    endStart()
    // Something may have been put off.
    watch.hurry()
  }

  func perform(_ work: RescanSchedule.Work) {
    switch work {
    case .targets(let targets): reconcile(targets)
    case .folder(let number): scan(number)
    case .absent(let targets): forgetAbsent(targets)
    case .announcement(let number): nameLock.withLock { held in files.announceOwed(held, number) }
    }
    group.drain()
  }

  /// Looks no more. Blocks for as long as one look takes.
  func stop() {
    rescans.stop()
    watch.stop()
  }
}
