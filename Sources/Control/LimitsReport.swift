/// The answer to `limit`: how fast this member reads and uploads at most.
package struct LimitsReport: Codable, Equatable, Sendable {
  /// Bytes per second to others; nil: no limit.
  package var up: UInt64?
  /// Bytes per second from others; nil: no limit.
  package var down: UInt64?

  /// One with every field given.
  package init(up: UInt64?, down: UInt64?) {
    self.up = up
    self.down = down
  }

  /// The report for people.
  package var text: String { "up: \(ByteRate.text(up)), down: \(ByteRate.text(down))" }
}
