import Core
package import Protocol
import System

/// One file that is being read or uploaded.
package struct TransferFigures: Sendable {
  package let isUpload: Bool
  /// Where it shows; nil where it does not any more.
  package let path: SharePath?
  package let owner: PublicID
  package let version: VersionKey
  package let bytes: UInt64
  package let size: UInt64
  /// Bytes per second.
  package let rate: Double
  package let isPaused: Bool
  package let isOwnerLost: Bool
  /// By which ways its bytes went lately; of what is read that is known from where it is asked for.
  package let ways: Ways

  /// What goes to others goes to some by lines, and to some through the hub.
  package struct Ways: Sendable {
    package let hasDirect: Bool
    package let hasHub: Bool
  }
}

extension Volume {
  /// For so long after its last byte a transfer is shown.
  private static let shownFor: Duration = .seconds(5)

  /// What is being read and uploaded now, for `fsharectl transfers`.
  package var transfers: [TransferFigures] {
    let now = MonotonicClock.now
    return reading(now) + uploading(now)
  }

  private func reading(_ now: Instant) -> [TransferFigures] {
    let figures = reading.active(within: Self.shownFor, now: now)
    return namespace.read { tree in
      figures.map { one in
        TransferFigures(
          isUpload: false, path: tree.path(of: .other(one.content.file)), owner: one.content.owner,
          version: one.content.name, bytes: one.bytes ?? 0,
          size: one.content.size, rate: one.rate ?? 0,
          isPaused: one.isPaused, isOwnerLost: one.isOwnerLost,
          ways: TransferFigures.Ways(hasDirect: false, hasHub: false))
      }
    }
  }

  private func uploading(_ now: Instant) -> [TransferFigures] {
    let (meter, direct, isPaused) = serving.flows
    return namespace.read { tree in
      meter.active(within: Self.shownFor, now: now).compactMap { key in
        guard let flow = meter[key] else { return nil }
        let node = tree.node(of: key.file.id)
        return TransferFigures(
          isUpload: true, path: tree.path(of: .own(key.file.id)), owner: flow.owner,
          version: key, bytes: flow.bytes,
          size: node?.entry?.size ?? flow.bytes, rate: flow.rate(now: now), isPaused: isPaused,
          isOwnerLost: false,
          ways: TransferFigures.Ways(
            hasDirect: direct[key].map { now - $0.lastAt <= Self.shownFor } ?? false,
            hasHub: flow.bytes > direct[key]?.bytes ?? 0))
      }
    }
  }
}
