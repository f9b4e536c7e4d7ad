import Core
import Glibc
import Logging
import Protocol
package import System

/// The own folder is used directly too: what the kernel's watches hint at is looked at on the disk
/// pool, by one worker at a time. What equals the tree is nothing new, so one's own changes through
/// the mount have no echo.
extension FolderSync {
  /// Begins to look at what changes in the own folder, and goes on with what `shareOwnFolder` has
  /// left. Call after that.
  package func startWatching() throws(SystemError) {
    defer { rescans.wake() }
    try watch.start(
      wait: { [self] in millisecondsToWait },
      heard: { [self] events in
        if events.contains(.overflow) { log.info("events were lost: the own folder is compared") }
        rescans.add(events)
        if events.contains(.mounts) { heardOfMounts() }
        rescans.wake()
      })
  }

  /// Something was mounted or unmounted: names of the own folder on which that was are looked at.
  /// Watch thread.
  private func heardOfMounts() {
    var now: Set<SharePath> = []
    let own = (File.resolved(folder.path) ?? folder.path).pathBytes
    for point in MountTable.points(below: own) {
      if let path = try? SharePath(point) { now.insert(path) }
    }
    for place in folder.sharedPlaces where place.root?.file == nil {
      for point in MountTable.points(below: place.path) {
        if let path = try? SharePath(place.name.bytes + [0x2f] + point) { now.insert(path) }
      }
    }
    let changed = mountPoints.withLock { known -> Set<SharePath> in
      defer { known = now }
      return known.symmetricDifference(now)
    }
    let targets = namespace.read { tree in
      changed.compactMap { path -> WatchTarget? in
        let directory = path.parent.map { tree.node(at: $0) } ?? tree.root
        return directory.map { .name($0.number, path.name) }
      }
    }
    rescans.add(targets, isFinished: true)
  }

  /// Looks at what is due, and says when the next will be.
  private var millisecondsToWait: Int32 {
    let missing = folder.sharedPlaces.filter { $0.root == nil }.map(\.id)
    let next = rescans.advance(times, missing: missing)
    rescans.wake()
    guard let next else { return -1 }
    let (seconds, attoseconds) = (next - MonotonicClock.now).components
    return Int32(clamping: seconds * 1_000 + attoseconds / 1_000_000_000_000_000 + 1)
  }
}
