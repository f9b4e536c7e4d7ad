/// Names one line between two members; never used again in a process.
package typealias LineID = UInt64

/// The plane that a leaf, and what is said of it, takes.
package enum ChunkWay: Hashable, Sendable {
  /// Through the hub, which serves all who want it from one upload.
  case hub
  /// By a line that stands between this member and another one.
  case line(LineID)

  /// For an order among them: 0, or that of the line.
  package var number: UInt64 {
    switch self {
    case .hub: 0
    case .line(let id): id
    }
  }
}
