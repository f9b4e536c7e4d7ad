import Core
import Logging
import Protocol
import System

/// Looks at what is shared in place wait for its disk with the lock of names held, and so does all
/// else that changes a name. So whether that disk answers is found out before, by a thread that may
/// hang.
extension FolderSync {
  /// How long a place may take to answer before it is looked at later.
  private static let probeTime: Duration = .seconds(1)
  /// When it is looked at again.
  private static let probeAgain: Duration = .seconds(2)

  /// The place that holds the directory of a node; nil where that lies in the own folder.
  private func place(holding number: InodeNumber) -> InPlaceShare? {
    if folder.sharedPlaces.isEmpty { return nil }
    let path = namespace.read { tree in tree[number].flatMap { tree.path(of: $0) } }
    return path.flatMap { folder.inPlaceShare(holding: $0) }
  }

  /// Whether what lies in a directory can be looked at now; else it is, as a whole, when its place
  /// answers. No lock held.
  func canLook(in number: InodeNumber) -> Bool {
    guard let place = place(holding: number), !answers(place) else { return true }
    let line = namespace.read { tree -> [InodeNumber] in
      tree[number].map { sequence(first: $0, next: \.parent).map(\.number) } ?? []
    }
    rescans.missed(line)
    rescans.putOff(.place(place.id), until: MonotonicClock.now + Self.probeAgain)
    return false
  }

  /// The same of a place itself.
  func canLook(at id: InPlaceShareID) -> Bool {
    guard let place = folder.inPlaceShare(id), !answers(place) else { return true }
    rescans.putOff(.place(id), until: MonotonicClock.now + Self.probeAgain)
    return false
  }

  /// Whether a place answers, if only that it is gone. One that did not is not asked again before
  /// it does.
  private func answers(_ place: InPlaceShare) -> Bool {
    guard probes.withLock({ $0.insert(place.id).inserted }) else { return false }
    let done = Monitor(false)
    let probe = { @Sendable [probes] () -> Void in
      _ = try? InPlaceShare.open(place.path)
      _ = probes.withLock { $0.remove(place.id) }
      done.update { $0 = true }
    }
    guard disk.submit(key: place.id | Self.placeKeys, probe) else {
      _ = probes.withLock { $0.remove(place.id) }
      return true
    }
    if done.wait(timeout: Self.probeTime, for: { $0 ? true : nil }) != nil { return true }
    budget.log(
      .warning, "places that do not answer",
      "what is shared in place does not answer: it is looked at when it does",
      metadata: ["path": "\(place.path)"])
    return false
  }

  /// Keys of the disk pool that stand for places; those of files are numbers of nodes.
  private static let placeKeys: WorkerPool.Key = 1 << 63
}
