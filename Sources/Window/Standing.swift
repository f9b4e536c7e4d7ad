import Control
import System

/// What the pages need of `status` with every question, asked for at most a few times a second.
final class Standing: Sendable {
  /// What is known.
  struct Now: Sendable {
    var ownID: UInt32?
    /// Another whenever the list has changed.
    var change: UInt64 = 0
  }

  private let stateFolder: String
  private let known = Locked<(now: Now, at: Duration)?>(nil)
  private static let lifetime = Duration.milliseconds(200)

  init(stateFolder: String) { self.stateFolder = stateFolder }

  /// Blocks.
  var now: Now {
    let time = MonotonicClock.now
    if let known = known.withLock({ $0 }), time - known.at < Self.lifetime { return known.now }
    let report = ControlClient.report(
      StatusReport.self, of: "status", stateFolder: stateFolder, timeout: .seconds(5))
    let now =
      report.map { Now(ownID: $0.publicID, change: Self.change($0)) }
      ?? known.withLock { $0?.now } ?? Now()
    known.withLock { $0 = (now, time) }
    return now
  }

  static func change(_ report: StatusReport) -> UInt64 {
    report.epoch &* 0x9E37_79B9_7F4A_7C15 &+ report.seq &* 8 &+ UInt64(report.pendingChanges)
      &+ UInt64(report.membersOnline) &* 65_537
  }
}
