/// What a running program notes of itself, so that `fsharectl` finds it without being told its
/// state folder. Paths as `PathText` says them.
package struct RunningRecord: Codable, Equatable, Sendable {
  /// What it is to its group, and `hub` for a hub alone.
  package enum Role: String, Codable, Sendable {
    case host, master, client, hub
  }

  package var role: Role
  package var pid: Int32
  package var stateFolder: String
  /// Where it mounts, or will; nil for a hub alone.
  package var mountpoint: String?

  /// A record with every field given.
  package init(role: Role, pid: Int32, stateFolder: String, mountpoint: String?) {
    self.role = role
    self.pid = pid
    self.stateFolder = stateFolder
    self.mountpoint = mountpoint
  }

  /// Whether the master app is in it.
  package var decides: Bool { role == .host || role == .master }
}
