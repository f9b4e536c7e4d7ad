package import Protocol

/// Somebody has another key than the one that was remembered: either it was set up anew, or
/// somebody else is in its place. Only a person can tell, so the program ends and says what to do.
package enum TrustFailure: Equatable, Sendable {
  /// The key that the hub's TLS was made with; `file`: where the other one is remembered.
  case hub(seen: Fingerprint, remembered: Fingerprint, file: String)
  /// The key of the master, in the hub's word.
  case master(seen: Fingerprint, remembered: Fingerprint, file: String)

  /// What the program ends with: code 78.
  package var ending: Ending {
    switch self {
    case .hub(let seen, let remembered, let file):
      Ending(
        .untrusted,
        "the hub's TLS key is not the one that was remembered (seen \(seen), remembered "
          + "\(remembered)): somebody may be listening in. If the hub was set up anew, "
          + "type: \(Self.forgetting("pin", file)); and start again, best with a new invite")
    case .master(let seen, let remembered, let file):
      Ending(
        .untrusted,
        "the master's key is not the one that was remembered (seen \(seen), remembered "
          + "\(remembered)): somebody may be in its place. If the group has a new master, "
          + "type: \(Self.forgetting("master", file)); and start again, best with a new invite")
    }
  }

  /// The command that takes a line out of the file `group`, and with it the first one, whose
  /// checksum is over it.
  static func forgetting(_ line: String, _ file: String) -> String {
    "sed -i '/^fsharefs /d;/^\(line) /d' \(file)"
  }
}
