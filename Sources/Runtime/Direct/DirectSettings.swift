package import Protocol

/// What a person has said about lines to other members.
package struct DirectSettings: Sendable, Equatable {
  /// Whether members are read from, and served, by lines of their own where they can reach each
  /// other.
  package var isOn = true
  /// Where this member listens for them: by default on all addresses, at a port that the system
  /// chooses.
  package var listen = ListenAddress(host: "", port: 0)
  package init() {}
}
