/// The answer to `status` of a hub alone: it knows no names and no files.
package struct HubReport: Codable, Equatable, Sendable {
  /// Tells it from a `StatusReport`.
  package enum Role: String, Codable, Sendable { case hub }

  package var role = Role.hub
  /// Where it listens.
  package var listens: String
  /// Of its TLS key, as invites have it.
  package var fingerprint: String
  /// Whether a master has claimed it.
  package var hasMaster: Bool
  /// The folder of its registry and of this socket.
  package var stateFolder: String
  /// The program's version.
  package var version: String

  /// A report with every field given.
  package init(
    listens: String, fingerprint: String, hasMaster: Bool, stateFolder: String, version: String
  ) {
    self.listens = listens
    self.fingerprint = fingerprint
    self.hasMaster = hasMaster
    self.stateFolder = stateFolder
    self.version = version
  }
}
