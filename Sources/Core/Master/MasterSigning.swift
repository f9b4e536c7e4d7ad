import Protocol

/// What the master signs with, and how it knows its own word: its device's Ed25519 key in the
/// programs. `Sealing` has it, since this module imports nothing that could.
package struct MasterSigner: Sendable {
  /// The signature of some bytes, 64 long.
  package let sign: @Sendable ([UInt8]) -> [UInt8]
  /// Whether this master signed these bytes so.
  package let holds: @Sendable (_ bytes: [UInt8], _ signature: [UInt8]) -> Bool

  package init(
    sign: @escaping @Sendable ([UInt8]) -> [UInt8],
    holds: @escaping @Sendable ([UInt8], [UInt8]) -> Bool
  ) {
    self.sign = sign
    self.holds = holds
  }
}

/// How far the list has come, in the master's signed word: a signature covers all changes since the
/// last, so that a thousand changes a second cost no thousand signatures.
extension Master {
  /// Whether something has changed since the last signature.
  package var hasUnsigned: Bool { signed?.order != replica.order }

  /// How often the list is signed where nothing changes.
  package var heartbeat: Duration { settings.heartbeat }

  /// When the list is to be signed next; nil where it never was.
  var headDue: Instant? {
    signed.map { $0.at + (hasUnsigned ? settings.coverWithin : settings.heartbeat) }
  }

  /// Signs the list where that is due: at once what changes after some quiet.
  mutating func signHead(now: Instant, into actions: inout [MasterAction]) {
    if let due = headDue, now < due { return }
    signed = (replica.order, now)
    actions.append(.sign(replica.order, replica.history, version: version))
  }

  /// The version of the protocol that the master writes: the highest that everyone who is in
  /// speaks, or has spoken when it was last here. Complexity: O(members), whatever else a hub
  /// names.
  private var version: UInt16 {
    var version = settings.versions.highest
    for member in replica.members.values where member.admission == .approved {
      guard let spoken = clients[member.publicID]?.versions.highest else { continue }
      version = min(version, max(spoken, settings.versions.lowest))
    }
    return version
  }
}
