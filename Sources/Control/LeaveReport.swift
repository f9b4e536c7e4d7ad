/// The answer to `leave`.
package struct LeaveReport: Codable, Equatable, Sendable {
  /// Where the share was mounted.
  package var mountpoint: String
  /// Whether the process has ended; false where programs still hold files of the mount, which goes
  /// as they let go.
  package var hasEnded: Bool
  /// Programs of this machine that used the mount, as `name (pid)`: hostile until escaped.
  package var usedBy: [String]

  /// A report with every field given.
  package init(mountpoint: String, hasEnded: Bool, usedBy: [String]) {
    self.mountpoint = mountpoint
    self.hasEnded = hasEnded
    self.usedBy = usedBy
  }
}
