import Core
import Glibc
import Logging
import Protocol
package import System

/// The own folder is used directly too: what the kernel's watches hint at is looked at on the disk
/// pool, by one worker at a time. What equals the tree is nothing new, so one's own changes through
/// the mount have no echo.
extension Volume {
  /// Begins to look at what changes in the own folder, and goes on with what `shareOwnFolder` has
  /// left. Call after that.
  package func startWatching() throws(SystemError) {
    defer { lookIfNeeded() }
    try watch.start(
      wait: { [self] in millisecondsToWait },
      heard: { [self] events in
        if events.contains(.overflow) { log.info("events were lost: the own folder is compared") }
        looks.withLock { looks in
          for event in events { looks.add(event) }
        }
        if events.contains(.mounts) { heardOfMounts() }
        lookIfNeeded()
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
    let spots = tree.withLock { tree in
      changed.compactMap { path -> LookSpot? in
        let directory = path.parent.map { tree.node(at: $0) } ?? tree.root
        return directory.map { .name($0.number, path.name) }
      }
    }
    looks.withLock { looks in
      for spot in spots { looks.add(spot, isFinished: true) }
    }
  }

  /// Looks no more. Blocks for as long as one look takes.
  func stopWatching() {
    looks.withLock { $0.isStopping = true }
    watch.stop()
  }

  /// Has a file looked at that is not what it was announced as. `isFinished`: whether whoever
  /// changed it is known to be done.
  func lookAgain(at number: InodeNumber, isFinished: Bool = false) {
    let spot = tree.withLock { tree -> LookSpot? in
      guard let node = tree[number], let name = node.name, let parent = node.parent,
        let path = tree.path(of: node)
      else {
        return nil
      }
      return folder.place(at: path).map { .place($0.id) } ?? .name(parent.number, name)
    }
    guard let spot else { return }
    looks.withLock { $0.add(spot, isFinished: isFinished) }
    lookIfNeeded()
  }

  /// Runs a worker where there is something to look at and none runs.
  func lookIfNeeded() {
    let mayRun = looks.withLock { looks -> Bool in
      if looks.isRunning || looks.isEmpty { return false }
      looks.isRunning = true
      return true
    }
    guard mayRun else { return }
    onDisk { [self] in
      while let work = nextLook() { perform(work) }
      endStart()
      // Something may have been put off.
      watch.hurry()
    }
  }

  private func nextLook() -> LookQueue.Work? {
    looks.withLock { looks in
      let next = looks.next(now: MonotonicClock.now)
      looks.isRunning = next != nil
      return next
    }
  }

  /// Looks at what is due, and says when the next will be.
  private var millisecondsToWait: Int32 {
    let now = MonotonicClock.now
    let missing = folder.sharedPlaces.filter { $0.root == nil }.map(\.id)
    let next = looks.withLock { looks -> Instant? in
      for id in missing { looks.add(.place(id), isFinished: true) }
      return looks.wake(now: now, settings.watching, hasMissing: !missing.isEmpty)
    }
    lookIfNeeded()
    guard let next else { return -1 }
    let (seconds, attoseconds) = (next - now).components
    return Int32(clamping: seconds * 1_000 + attoseconds / 1_000_000_000_000_000 + 1)
  }

  func perform(_ work: LookQueue.Work) {
    switch work {
    case .spots(let spots): look(at: spots)
    case .folder(let number): scan(number)
    case .absent(let spots): forgetAbsent(spots)
    case .announcement(let number): namespace.withLock { _ in announceOwed(number) }
    }
    group.drain()
  }
}
